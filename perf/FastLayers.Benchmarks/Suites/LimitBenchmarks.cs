using BenchmarkDotNet.Attributes;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Benchmarks.Suites;

/// <summary>A limit and the threads that it is measured with.</summary>
public sealed class LimitCase(CpuLimit limit, int threads) : IMeasuredWork
{
    /// <summary>What is measured.</summary>
    public CpuLimit Limit => limit;

    /// <summary>Threads.</summary>
    public int Threads => threads;

    /// <inheritdoc/>
    public double Bytes { get; internal set; }

    /// <inheritdoc/>
    public double Operations { get; internal set; }

    /// <inheritdoc/>
    public double? LeastSeconds => null;

    /// <inheritdoc/>
    public override string ToString() => $"{limit}, {(threads == 1 ? "1 thread" : $"{threads} threads")}";
}

/// <summary>The limits themselves, with one and with two threads.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls the method of GlobalCleanup.")]
public class LimitBenchmarks
{
    private CpuLimits? _limits;

    /// <summary>All limits.</summary>
    public static IEnumerable<LimitCase> Cases => from threads in Selection.Threads from limit in Enum.GetValues<CpuLimit>() select new LimitCase(limit, threads);

    /// <summary>The one that is measured.</summary>
    [ParamsSource(nameof(Cases))]
    public LimitCase Case { get; set; } = null!;

    /// <summary>Allocates memory and starts threads.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        _limits = new CpuLimits(SimdDispatch.Level, Case.Threads);
        Case.Bytes = _limits.Bytes(Case.Limit);
        Case.Operations = _limits.Operations(Case.Limit);
    }

    /// <summary>Does it once.</summary>
    [Benchmark]
    public void Limit() => _limits!.Run(Case.Limit);

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Release() => _limits!.Dispose();
}
