using FastLayers.Kernels.Gpu.Normalize;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests;

/// <summary>What a launcher does when its device is gone.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly Context _context = GpuPlatform.CreateContext(GpuBackend.Emulated);
    private readonly Accelerator _accelerator;
    private readonly GpuLauncher _launcher;

    public LauncherTests()
    {
        _accelerator = GpuPlatform.Devices(_context, GpuBackend.Emulated)[0].CreateAccelerator(_context);
        _launcher = new GpuLauncher(_accelerator);
    }

    public void Dispose()
    {
        _launcher.Dispose();
        _accelerator.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void A_lost_device_stays_lost_and_says_what_happened()
    {
        using var memory = _accelerator.Allocate1D<float>(4);
        var view = memory.View.BaseView;
        var lost = _launcher.Lost("RmsNorm", new InvalidOperationException("the device was reset"));

        Assert.Contains("failed in RmsNorm: the device was reset", lost.Message, StringComparison.Ordinal);
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => _launcher.Upload([1, 2, 3, 4], view)));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => _launcher.Download(view, new float[4])));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => RmsNormKernels.Launch(_launcher, view, default, 1e-5f, view, 1, 4)));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(_launcher.Synchronize));
        Assert.Same(lost, _launcher.Lost("something later", new InvalidOperationException("more")));
    }

    [Fact]
    public void A_disposed_launcher_refuses_work()
    {
        _launcher.Dispose();
        Assert.Throws<ObjectDisposedException>(_launcher.Synchronize);
    }
}
