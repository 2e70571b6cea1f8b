using FastLayers.Kernels.Catalog;

namespace FastLayers.Benchmarks.Suites;

/// <summary>A parameter of a benchmark that knows how much an invocation does, from which the columns are made. Public for BenchmarkDotNet.</summary>
public interface IMeasuredWork
{
    /// <summary>Bytes read and written.</summary>
    double Bytes { get; }

    /// <summary>Multiplications plus additions.</summary>
    double Operations { get; }

    /// <summary>Seconds that it takes at least, by the limits measured in this process; null where it is a limit itself.</summary>
    double? LeastSeconds { get; }
}

/// <summary>What the devices can do at most, measured once a process, when it is first asked for.</summary>
public static class MeasuredLimits
{
    private static readonly Dictionary<(string Device, int Threads), DeviceLimits> s_limits = [];

    /// <summary>The limits of threads of the processor.</summary>
    public static DeviceLimits OfCpu(int threads)
    {
        if (s_limits.TryGetValue(("cpu", threads), out var known)) return known;
        using var limits = new CpuLimits(Kernels.Simd.SimdDispatch.Level, threads);
        return s_limits[("cpu", threads)] = limits.Measure();
    }

    /// <summary>The limits of a device.</summary>
    public static DeviceLimits Of(IKernelRunner runner)
    {
        ArgumentNullException.ThrowIfNull(runner);
        return s_limits.TryGetValue((runner.Device, 1), out var known) ? known : s_limits[(runner.Device, 1)] = runner.MeasureLimits();
    }
}
