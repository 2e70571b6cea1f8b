using System.Reflection;
using System.Runtime.CompilerServices;
using FastLayers.Kernels.Gpu.Normalize;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FastLayers.Kernels.Gpu.Tests;

/// <summary>What a launcher does when its device is gone.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly SimulatedDevice _device = new();
    private readonly GpuLauncher _launcher;

    public LauncherTests() => _launcher = _device.Launcher;

    public void Dispose() => _device.Dispose();

    [Fact]
    public void A_lost_device_stays_lost_and_says_what_happened()
    {
        var view = _device.Memory(new float[4]);
        var lost = _launcher.Lost("RmsNorm", new InvalidOperationException("the device was reset"));

        Assert.Contains("failed in RmsNorm: the device was reset", lost.Message, StringComparison.Ordinal);
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => _launcher.Upload([1, 2, 3, 4], view)));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => _launcher.Download(view, new float[4])));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => RmsNormKernels.Launch(_launcher, view, default, 1e-5f, view, 1, 4)));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(_launcher.Synchronize));
        Assert.Same(lost, _launcher.Lost("something later", new InvalidOperationException("more")));
    }

    [Fact]
    public void A_lost_device_has_no_memory_and_does_not_say_that_there_is_no_room()
    {
        using var allocator = new GpuAllocator(_launcher, long.MaxValue);
        allocator.Return(allocator.Rent(100));
        var lost = _launcher.Lost("RmsNorm", new InvalidOperationException("the device was reset"));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => allocator.Rent(100)));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => allocator.Rent(100_000)));
        Assert.Equal(0, allocator.LiveBuffers);
    }

    [Fact]
    public void An_allocation_that_fails_for_another_reason_than_room_is_a_lost_device()
    {
        Assert.True(GpuLauncher.IsOutOfMemory(new InsufficientMemoryException()));
        Assert.True(GpuLauncher.IsOutOfMemory(Reported(CudaError.CUDA_ERROR_OUT_OF_MEMORY)));
        Assert.False(GpuLauncher.IsOutOfMemory(Reported(CudaError.CUDA_ERROR_ILLEGAL_ADDRESS)));
        Assert.True(GpuLauncher.IsOutOfMemory(new CLException(CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE)));
        Assert.False(GpuLauncher.IsOutOfMemory(new CLException(CLError.CL_DEVICE_NOT_AVAILABLE)));
    }

    [Fact]
    public void Closing_what_the_driver_refuses_to_take_back_does_not_throw()
    {
        _launcher.Close(new Refusing());
        Assert.Contains("refused", Assert.Throws<GpuDeviceLostException>(_launcher.Synchronize).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disposed_launcher_refuses_work()
    {
        _launcher.Dispose();
        Assert.Throws<ObjectDisposedException>(_launcher.Synchronize);
    }

    /// <summary>The exception of an error. Its constructor asks the driver for a message, which there is none to give here.</summary>
    private static CudaException Reported(CudaError error)
    {
        var exception = (CudaException)RuntimeHelpers.GetUninitializedObject(typeof(CudaException));
        typeof(CudaException).GetField($"<{nameof(CudaException.Error)}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(exception, error.ToString());
        return exception;
    }

    private sealed class Refusing : IDisposable
    {
        public void Dispose() => throw new CudaException("refused");
    }
}
