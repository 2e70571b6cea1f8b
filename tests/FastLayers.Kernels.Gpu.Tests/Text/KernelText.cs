using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>The text that ILGPU makes of a kernel. A context each: a failed compilation can spoil the next one of the same context.</summary>
internal static class KernelText
{
    public static string Ptx(GpuKernel kernel, OptimizationLevel level)
    {
        using var context = GpuPlatform.CreateCompiler(level);
        using var backend = new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        return ((PTXCompiledKernel)backend.Compile(EntryPoint(kernel), default)).PTXAssembly;
    }

    public static string OpenCL(GpuKernel kernel)
    {
        using var context = GpuPlatform.CreateCompiler(OptimizationLevel.O2);
        using var backend = new CLBackend(context, new CLCapabilityContext(false, false, true, false, false), CLDeviceVendor.Other, CLCVersion.CL30);
        return ((CLCompiledKernel)backend.Compile(EntryPoint(kernel), default)).Source;
    }

    private static EntryPointDescription EntryPoint(GpuKernel kernel) => EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method);
}
