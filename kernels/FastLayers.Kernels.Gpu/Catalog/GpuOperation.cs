namespace FastLayers.Kernels.Gpu.Catalog;

/// <summary>How an entry of <see cref="KernelCatalog"/> runs on a GPU.</summary>
/// <param name="Name">The name of the catalog entry.</param>
/// <param name="Run">Launches the kernels on the buffers of the entry.</param>
public sealed record GpuOperation(string Name, Action<GpuLauncher, GpuBuffers> Run)
{
    /// <summary>Why a device cannot run it, or null.</summary>
    internal Func<GpuLauncher, string?>? ReasonToSkip { get; init; }
}
