using FastLayers.Kernels.Catalog;

namespace FastLayers.Benchmarks.Suites;

/// <summary>A parameter of a benchmark that knows how much an invocation does, from which the columns are made. Public for BenchmarkDotNet.</summary>
public interface IMeasuredWork
{
    /// <summary>Bytes read and written.</summary>
    double Bytes { get; }

    /// <summary>Multiplications plus additions.</summary>
    double Operations { get; }

    /// <summary>
    /// Seconds that it takes at least, by the limits measured in this process; null where it is a limit itself, or moves data that stays in
    /// caches.
    /// </summary>
    double? LeastSeconds { get; }
}

/// <summary>What the devices can do at most, measured once a process, when it is first asked for.</summary>
public static class MeasuredLimits
{
    private static readonly Dictionary<string, DeviceLimits> s_limits = [];

    /// <summary>The limits of a device.</summary>
    public static DeviceLimits Of(IKernelRunner runner)
    {
        ArgumentNullException.ThrowIfNull(runner);
        return s_limits.TryGetValue(runner.Device, out var known) ? known : s_limits[runner.Device] = runner.MeasureLimits();
    }
}
