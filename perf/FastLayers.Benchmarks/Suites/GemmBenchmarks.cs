using BenchmarkDotNet.Attributes;
using FastLayers.Kernels.Formats;

namespace FastLayers.Benchmarks.Suites;

/// <summary>
/// A pass of prefill: 512 rows of activations with one matrix. The share is that of multiplying and adding in registers, bytes where the
/// activations are rounded to them (which is part of the time) and floats elsewhere.
/// </summary>
public class GemmBenchmarks : MatMulBenchmarks
{
    private const int Rows = 512;
    private static readonly Format[] s_formats = [Format.Q4_0, Format.Q8_0, Format.Q4_K, Format.F32, Format.F16];

    /// <summary>The formats that are chosen, with each number of threads.</summary>
    public static IEnumerable<MatMulWork> Cases => from format in Selection.Of(s_formats) from threads in Selection.Threads select MatMulWork.OfRows(format, Rows, threads);

    /// <summary>The one that is measured.</summary>
    [ParamsSource(nameof(Cases))]
    public MatMulWork Case { get; set; } = null!;

    /// <inheritdoc/>
    protected override MatMulWork Work => Case;
}
