using ILGPU;
using ILGPU.Runtime.CPU;

namespace FastLayers.Kernels.Gpu.Tests;

/// <summary>A simulated device whose groups have a chosen number of threads.</summary>
internal sealed class SimulatedDevice : IDisposable
{
    private readonly Context _context;
    private readonly CPUAccelerator _accelerator;

    public SimulatedDevice(int groupSize, int multiprocessors = 1)
    {
        _context = Context.Create(builder => builder.EnableAlgorithms().CPU(new CPUDevice(groupSize, 1, multiprocessors)));
        _accelerator = _context.CreateCPUAccelerator(0);
        Launcher = new GpuLauncher(_accelerator);
    }

    public GpuLauncher Launcher { get; }

    public void Dispose()
    {
        Launcher.Dispose();
        _accelerator.Dispose();
        _context.Dispose();
    }
}
