using FastLayers.Kernels.Gpu;
using FastLayers.Kernels.Gpu.Catalog;

namespace FastLayers.Conformance.Gpu;

/// <summary>The first device of a backend that this machine has, opened once for all tests.</summary>
internal sealed class GpuTarget
{
    private static readonly GpuTarget[] s_targets = [.. Enum.GetValues<GpuBackend>().Select(backend => new GpuTarget(backend))];
    private readonly GpuBackend _backend;
    private readonly Lazy<GpuLauncher?> _launcher;

    private GpuTarget(GpuBackend backend)
    {
        _backend = backend;
        _launcher = new(Open);
    }

    /// <summary>Where kernels run, or null if there is no device.</summary>
    public GpuLauncher? Launcher => _launcher.Value;

    /// <summary>Runs catalog entries; only where there is a device.</summary>
    public GpuKernelRunner Runner => new(Launcher!, Launcher!.Accelerator.Name);

    /// <summary>Why there is no device.</summary>
    public string Reason => GpuPlatform.ReasonForNoDevice(_backend);

    public static GpuTarget Of(GpuBackend backend) => s_targets[(int)backend];

    private GpuLauncher? Open()
    {
        var context = GpuPlatform.CreateContext(_backend);
        var devices = GpuPlatform.Devices(context, _backend);
        return devices.Count == 0 ? null : new GpuLauncher(devices[0].CreateAccelerator(context));
    }
}
