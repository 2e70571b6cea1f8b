using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu;
using FastLayers.Synthesis;

namespace FastLayers.Gpu.Tests;

/// <summary>What a device holds, and what it says when it cannot.</summary>
public sealed class DeviceMemoryTests
{
    [Theory]
    [MemberData(nameof(TestDevices.Gpus), MemberType = typeof(TestDevices))]
    public void Models_and_sessions_give_all_buffers_back(string name)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".gguf");
        SyntheticModel.Write(path, SyntheticModelOptions.Parse("layers=2,width=64,ffn=64,heads=4,kv-heads=2,vocabulary=288", "llama", "q4_0", 1));
        try
        {
            using var device = (GpuDevice)TestDevices.Open(name);
            Run(device, path);
            var first = (device.LiveBuffers, device.LiveBytes);
            Run(device, path);
            Assert.Equal(first, (device.LiveBuffers, device.LiveBytes));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [MemberData(nameof(TestDevices.Gpus), MemberType = typeof(TestDevices))]
    public void Tensors_are_counted(string name)
    {
        using var device = (GpuDevice)TestDevices.Open(name);
        int buffers = device.LiveBuffers;
        var tensor = device.Allocate(Format.F32, 4, 8);
        Assert.Equal(buffers + 1, device.LiveBuffers);
        Assert.True(device.LiveBytes >= 128);
        tensor.Dispose();
        tensor.Dispose();
        Assert.Equal(buffers, device.LiveBuffers);
    }

    [Theory]
    [MemberData(nameof(TestDevices.Gpus), MemberType = typeof(TestDevices))]
    public void Reused_memory_is_zeroed(string name)
    {
        using var device = TestDevices.Open(name);
        float[] values = new float[32];
        using (var first = device.Allocate(Format.F32, 4, 8))
        {
            Array.Fill(values, 1);
            device.Write(first, 0, values);
        }

        using var second = device.Allocate(Format.F32, 4, 8);
        device.Read(second, 0, values);
        Assert.All(values, value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_device_without_room_says_how_much_is_used()
    {
        using var device = GpuDevice.Emulated(new GpuDeviceOptions { MemoryLimit = 1 << 20 });
        using var small = device.Allocate(Format.F32, 1024, 100);
        var exception = Assert.Throws<GpuOutOfMemoryException>(() => device.Allocate(Format.F32, 1024, 200));
        Assert.Contains("819,200", exception.Message, StringComparison.Ordinal);
        Assert.Equal(1 << 20, device.MemoryBytes);

        small.Dispose();
        using var larger = device.Allocate(Format.F32, 1024, 200);
        Assert.False(larger.Memory.IsDisposed);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(20_000)]
    [InlineData(60_000)]
    public void A_session_that_does_not_fit_leaves_nothing_behind(int room)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".gguf");
        SyntheticModel.Write(path, SyntheticModelOptions.Parse("layers=2,width=64,ffn=64,heads=4,kv-heads=2,vocabulary=288,context=256", "llama", "f32", 1));
        try
        {
            long modelBytes;
            using (var measured = GpuDevice.Emulated())
            using (Model.Load(path, measured)) modelBytes = measured.LiveBytes;

            using var device = GpuDevice.Emulated(new GpuDeviceOptions { MemoryLimit = modelBytes + room });
            using var model = Model.Load(path, device);
            int before = device.LiveBuffers;
            Assert.Throws<GpuOutOfMemoryException>(() => model.CreateSession(new SessionOptions { ContextLength = 256 }));

            // Tables of positions belong to the model, which keeps them for the next session.
            Assert.InRange(device.LiveBuffers, before, before + 2);
            int after = device.LiveBuffers;
            Assert.Throws<GpuOutOfMemoryException>(() => model.CreateSession(new SessionOptions { ContextLength = 256 }));
            Assert.Equal(after, device.LiveBuffers);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_missing_device_says_why()
    {
        Assert.Contains("emulated", GpuDevice.Emulated().Description, StringComparison.Ordinal);
        var exception = Assert.Throws<GpuDeviceNotFoundException>(() => GpuDevice.Cuda(99));
        Assert.StartsWith("There is no device cuda:99: ", exception.Message, StringComparison.Ordinal);
        Assert.Throws<GpuDeviceNotFoundException>(() => GpuDevice.OpenCL(99));
        Assert.Throws<ArgumentOutOfRangeException>(() => GpuDevice.Cuda(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GpuDevice.Emulated(new GpuDeviceOptions { MemoryLimit = 0 }));
    }

    [Fact]
    public void Every_backend_is_listed_with_a_device_or_a_reason()
    {
        var list = GpuDevice.List();
        Assert.Equal(Enum.GetValues<GpuBackend>(), list.Select(info => info.Backend).Distinct());
        Assert.All(list, info => Assert.True(info.Reason is null ? info.MemoryBytes > 0 : info.Reason.Length > 0));
        Assert.Contains(list, info => info is { Name: "emulated", Reason: null });
    }

    [Fact]
    public void The_best_device_is_a_gpu_or_the_processor()
    {
        using var device = GpuDevice.BestOrCpu();
        Assert.True(device == Device.Cpu || device is GpuDevice { Name: not "emulated" });
    }

    [Fact]
    public void A_disposed_device_refuses_work()
    {
        var device = GpuDevice.Emulated();
        var tensor = device.Allocate(Format.F32, 4, 8);
        device.Dispose();
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => device.Read(tensor, 0, new float[1]));
        Assert.Throws<ObjectDisposedException>(() => device.Allocate(Format.F32, 1, 1));
        tensor.Dispose();
    }

    [Fact]
    public void A_lost_device_says_so_and_can_be_disposed()
    {
        var device = GpuDevice.Emulated();
        var tensor = device.Allocate(Format.F32, 4, 8);
        var lost = device.Launcher.Lost("RmsNorm", new InvalidOperationException("the device was reset"));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => device.Allocate(Format.F32, 4, 8)));
        Assert.Same(lost, Assert.Throws<GpuDeviceLostException>(() => device.Read(tensor, 0, new float[1])));
        tensor.Dispose();
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => device.Allocate(Format.F32, 4, 8));
    }

    private static void Run(GpuDevice device, string path)
    {
        using var model = Model.Load(path, device);
        using var session = model.CreateSession(new SessionOptions { KeyFormat = Format.F16, ValueFormat = Format.F16 });
        session.Append([1, 2, 3]);
        using var fork = session.Fork();
        fork.Append([4]);
        session.Append([5]);
    }
}
