namespace FastLayers.Kernels.Catalog;

/// <summary>
/// Runs catalog entries on one device. An implementation looks up its kernel by the name of the operation, moves the input buffers to
/// the device and the outputs back.
/// </summary>
public interface IKernelRunner
{
    /// <summary>The device, as a report names it.</summary>
    string Device { get; }

    /// <summary>Why this device cannot run the operation, or null if it can.</summary>
    string? ReasonToSkip(KernelOperation operation);

    /// <summary>Runs the operation and returns when the outputs are in <paramref name="arguments"/>.</summary>
    void Run(KernelOperation operation, KernelArguments arguments);

    /// <summary>Seconds that one run of the operation takes, without moving buffers.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="arguments">Its buffers; the outputs are not copied back.</param>
    /// <param name="budget">Time to spend.</param>
    double Measure(KernelOperation operation, KernelArguments arguments, TimeSpan budget);

    /// <summary>Measures what the device can do at most.</summary>
    DeviceLimits MeasureLimits();
}
