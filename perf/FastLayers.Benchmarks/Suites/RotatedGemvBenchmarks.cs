using BenchmarkDotNet.Attributes;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;

namespace FastLayers.Benchmarks.Suites;

/// <summary>A format and the threads that read it.</summary>
public sealed class GemvCase(Format format, int threads) : IMeasuredWork
{
    /// <summary>Storage of the weights.</summary>
    public Format Format => format;

    /// <summary>Threads.</summary>
    public int Threads => threads;

    /// <inheritdoc/>
    public double Bytes => RotatedWeights.Bytes(format);

    /// <inheritdoc/>
    public double Operations => RotatedWeights.Operations(format);

    /// <summary>The time to read the weights by four streams a thread.</summary>
    public double? LeastSeconds => Bytes / MeasuredLimits.OfCpu(threads).FourStreamReadBytesPerSecond;

    /// <inheritdoc/>
    public override string ToString() => $"{format.Name}, {(threads == 1 ? "1 thread" : $"{threads} threads")}";
}

/// <summary>Decoding a token from memory: the share is that of the four-stream read rate.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls the method of GlobalCleanup.")]
public class RotatedGemvBenchmarks
{
    private RotatedWeights? _weights;

    /// <summary>The formats that this processor interleaves.</summary>
    public static IEnumerable<GemvCase> Cases =>
        from format in (Format[])[Format.Q4_0, Format.Q4_K, Format.Q8_0, Format.F16, Format.Q2_K]
        where InterleavedLayout.For(format) is not null
        from threads in Selection.Threads
        select new GemvCase(format, threads);

    /// <summary>The one that is measured.</summary>
    [ParamsSource(nameof(Cases))]
    public GemvCase Case { get; set; } = null!;

    /// <summary>Makes the weights.</summary>
    [GlobalSetup]
    public void Prepare() => _weights = new RotatedWeights(Case.Format, Case.Threads);

    /// <summary>Multiplies with all of them.</summary>
    [Benchmark]
    public void Gemv() => _weights!.Run();

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Release() => _weights!.Dispose();
}
