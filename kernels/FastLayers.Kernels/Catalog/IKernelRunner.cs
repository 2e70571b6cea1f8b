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
}
