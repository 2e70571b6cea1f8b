using FastLayers.Kernels.Gpu;

namespace FastLayers.Gpu.Tests;

/// <summary>The devices to test: those that this machine has run, the others are skipped with the reason.</summary>
internal static class TestDevices
{
    public const string Cpu = "cpu";

    /// <summary>Every kind of GPU device.</summary>
    public static IEnumerable<TheoryDataRow<string>> Gpus => [new("emulated"), new("opencl"), new("cuda")];

    /// <summary>The processor, and every kind of GPU device.</summary>
    public static IEnumerable<TheoryDataRow<string>> All => [new(Cpu), .. Gpus];

    /// <summary>A device of its own for the test.</summary>
    public static Device Open(string name)
    {
        if (name == Cpu) return new CpuDevice(2);
        try
        {
            return OpenGpu(name, null);
        }
        catch (GpuDeviceNotFoundException exception)
        {
            Assert.Skip(exception.Message);
            throw;
        }
    }

    public static GpuDevice OpenGpu(string name, GpuDeviceOptions? options) => name switch
    {
        "emulated" => GpuDevice.Emulated(options),
        "opencl" => GpuDevice.OpenCL(0, options),
        "cuda" => GpuDevice.Cuda(0, options),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such device."),
    };
}
