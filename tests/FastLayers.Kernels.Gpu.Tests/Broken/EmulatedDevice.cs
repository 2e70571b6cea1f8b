using System.Runtime.CompilerServices;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Catalog;

// The assembly that ILGPU makes at run time calls the broken kernels.
[assembly: InternalsVisibleTo("ILGPURuntime")]

namespace FastLayers.Kernels.Gpu.Tests.Broken;

/// <summary>Runs catalog entries with other kernels than the library's on the emulated device.</summary>
internal static class EmulatedDevice
{
    /// <summary>Where the kernels run.</summary>
    public static GpuLauncher Launcher { get; } = Open();

    /// <summary>The outcome at the last of the shapes of an entry, which is its largest.</summary>
    /// <param name="name">The catalog entry.</param>
    /// <param name="run">What launches the kernels.</param>
    public static KernelOutcome Check(string name, Action<GpuLauncher, GpuBuffers> run)
    {
        var operation = KernelCatalog.Find(name);
        return KernelCheck.Run(new GpuKernelRunner(Launcher, "emulated", [new(name, run)]), operation, operation.Shapes[^1], 1);
    }

    private static GpuLauncher Open()
    {
        var context = GpuPlatform.CreateContext(GpuBackend.Emulated);
        return new(GpuPlatform.Devices(context, GpuBackend.Emulated)[0].CreateAccelerator(context));
    }
}
