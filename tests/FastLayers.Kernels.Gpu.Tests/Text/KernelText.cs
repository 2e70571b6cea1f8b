using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>
/// The text that ILGPU makes of a kernel. Opening a context costs more than compiling, so a thread keeps one of each kind; one in which a
/// compilation failed is thrown away, since it can spoil the next.
/// </summary>
internal static class KernelText
{
    [ThreadStatic]
    private static Dictionary<(OptimizationLevel Level, bool IsPtx), Compiler>? t_compilers;

    public static string Ptx(GpuKernel kernel, OptimizationLevel level) => ((PTXCompiledKernel)Compile(kernel, level, isPtx: true)).PTXAssembly;

    public static string OpenCL(GpuKernel kernel) => ((CLCompiledKernel)Compile(kernel, OptimizationLevel.O2, isPtx: false)).Source;

    private static CompiledKernel Compile(GpuKernel kernel, OptimizationLevel level, bool isPtx)
    {
        var compilers = t_compilers ??= [];
        if (!compilers.TryGetValue((level, isPtx), out var compiler)) compilers[(level, isPtx)] = compiler = new Compiler(level, isPtx);
        try
        {
            return compiler.Backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), default);
        }
        catch
        {
            compilers.Remove((level, isPtx));
            compiler.Dispose();
            throw;
        }
    }

    private sealed class Compiler : IDisposable
    {
        private readonly Context _context;

        public Compiler(OptimizationLevel level, bool isPtx)
        {
            _context = GpuPlatform.CreateCompiler(level);
            Backend = isPtx
                ? new PTXBackend(_context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!)
                : new CLBackend(_context, new CLCapabilityContext(false, false, true, false, false), CLDeviceVendor.Other, CLCVersion.CL30);
        }

        public Backend Backend { get; }

        public void Dispose()
        {
            Backend.Dispose();
            _context.Dispose();
        }
    }
}
