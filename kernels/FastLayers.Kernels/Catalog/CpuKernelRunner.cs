using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Catalog;

/// <summary>Runs the SIMD kernels of the catalog at one register width, on the calling thread.</summary>
/// <param name="level">The width; one beyond the hardware's works and is slow.</param>
public sealed class CpuKernelRunner(SimdLevel level) : IKernelRunner
{
    /// <inheritdoc/>
    public string Device { get; } = $"CPU, {(int)level} bit";

    /// <inheritdoc/>
    public string? ReasonToSkip(KernelOperation operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return operation.ReasonToSkip;
    }

    /// <inheritdoc/>
    public void Run(KernelOperation operation, KernelArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(operation);
        operation.Simd(level, arguments);
    }

    /// <inheritdoc/>
    public double Measure(KernelOperation operation, KernelArguments arguments, TimeSpan budget)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return KernelTimer.Measure(
            count =>
            {
                for (int i = 0; i < count; i++) operation.Simd(level, arguments);
            },
            budget);
    }

    /// <inheritdoc/>
    public DeviceLimits MeasureLimits()
    {
        using var limits = new CpuLimits(level, threads: 1);
        return limits.Measure();
    }
}
