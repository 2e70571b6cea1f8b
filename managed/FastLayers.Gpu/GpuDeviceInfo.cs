using FastLayers.Kernels.Gpu;

namespace FastLayers.Gpu;

/// <summary>A device that was found, or a backend without one.</summary>
/// <param name="Backend">What runs the kernels.</param>
/// <param name="Index">The device among those of its backend; 0 if there is none.</param>
/// <param name="Name">The name to choose it by, such as <c>cuda:0</c>.</param>
/// <param name="Description">What the driver calls it.</param>
/// <param name="MemoryBytes">Its memory in bytes; 0 if there is none.</param>
/// <param name="Reason">Why the backend has no device, or null if this is one.</param>
public sealed record GpuDeviceInfo(GpuBackend Backend, int Index, string Name, string Description, long MemoryBytes, string? Reason)
{
    /// <summary>Whether it is a GPU: an OpenCL device may be a processor.</summary>
    public bool IsGpu { get; init; }
}
