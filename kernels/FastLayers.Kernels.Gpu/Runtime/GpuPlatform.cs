using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FastLayers.Kernels.Gpu;

/// <summary>What compiles and runs the kernels.</summary>
public enum GpuBackend
{
    /// <summary>NVIDIA's driver, through PTX.</summary>
    Cuda,

    /// <summary>Any OpenCL driver with a generic address space (version 2 or later), through OpenCL C.</summary>
    OpenCL,

    /// <summary>Threads of this process: slow, for tests and for debugging.</summary>
    Emulated,
}

/// <summary>Opens ILGPU contexts with the settings that the kernels are written for.</summary>
public static class GpuPlatform
{
    /// <summary>Threads of one simulated group. Few, since each is a thread of the operating system; more than one, so that a missing barrier shows.</summary>
    private const int EmulatedGroupSize = 4;

    /// <summary>Groups of the simulated device that run at once.</summary>
    private const int EmulatedMultiprocessors = 2;

    /// <summary>Opens a context with all devices of a backend; <see cref="Devices"/> lists them, and there may be none.</summary>
    public static Context CreateContext(GpuBackend backend) => backend switch
    {
        GpuBackend.Cuda => Create(OptimizationLevel.O2, builder => builder.Cuda()),
        GpuBackend.OpenCL => Create(OptimizationLevel.O2, builder => builder.OpenCL()),
        GpuBackend.Emulated => CreateEmulated(EmulatedGroupSize, EmulatedMultiprocessors),
        _ => throw new ArgumentOutOfRangeException(nameof(backend), backend, "There is no such backend."),
    };

    /// <summary>A context that can only compile, at an optimization level.</summary>
    public static Context CreateCompiler(OptimizationLevel level) => Create(level, _ => { });

    /// <summary>The devices of a backend in a context made for it. ILGPU puts a CPU device where it finds none; that one does not count.</summary>
    public static IReadOnlyList<Device> Devices(Context context, GpuBackend backend)
    {
        ArgumentNullException.ThrowIfNull(context);
        var type = backend switch
        {
            GpuBackend.Cuda => AcceleratorType.Cuda,
            GpuBackend.OpenCL => AcceleratorType.OpenCL,
            _ => AcceleratorType.CPU,
        };
        return [.. context.Devices.Where(device => device.AcceleratorType == type)];
    }

    /// <summary>Why a backend has no device, as far as can be told: its driver is missing, or it has none that can run the kernels.</summary>
    public static string ReasonForNoDevice(GpuBackend backend)
    {
        // The names by which ILGPU loads the drivers.
        string? library = backend switch
        {
            GpuBackend.Cuda => OperatingSystem.IsWindows() ? "nvcuda" : "libcuda.so",
            GpuBackend.OpenCL => OperatingSystem.IsWindows() ? "OpenCL" : OperatingSystem.IsMacOS() ? "/System/Library/Frameworks/OpenCL.framework/OpenCL" : "libOpenCL.so",
            _ => null,
        };
        if (library is null) return "the device was not created";
        if (!NativeLibrary.TryLoad(library, out nint handle)) return $"the driver library {library} cannot be loaded";
        NativeLibrary.Free(handle);
        return backend == GpuBackend.Cuda
            ? "the driver reports no device"
            : "the driver reports no device with a generic address space (OpenCL 2 or later)";
    }

    /// <summary>A context with a simulated device of another size.</summary>
    internal static Context CreateEmulated(int groupSize, int multiprocessors) =>
        Create(OptimizationLevel.O2, builder => builder.CPU(new CPUDevice(groupSize, 1, multiprocessors)));

    private static Context Create(OptimizationLevel level, Action<Context.Builder> devices) =>
        Context.Create(builder => devices(builder.EnableAlgorithms().Optimize(level)));
}
