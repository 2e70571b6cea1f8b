using BenchmarkDotNet.Attributes;
using FastLayers.Kernels.Formats;

namespace FastLayers.Benchmarks.Suites;

/// <summary>Decoding a token: one row of activations with 256 MiB of matrices. The share is that of the four-stream read rate.</summary>
public class GemvBenchmarks : MatMulBenchmarks
{
    private static readonly Format[] s_formats = [Format.Q4_0, Format.Q8_0, Format.Q4_K, Format.Q6_K, Format.Q2_K, Format.F32, Format.F16];

    /// <summary>The formats that are chosen, with each number of threads.</summary>
    public static IEnumerable<MatMulWork> Cases => from format in Selection.Of(s_formats) from threads in Selection.Threads select MatMulWork.FromMemory(format, threads);

    /// <summary>The one that is measured.</summary>
    [ParamsSource(nameof(Cases))]
    public MatMulWork Case { get; set; } = null!;

    /// <inheritdoc/>
    protected override MatMulWork Work => Case;
}
