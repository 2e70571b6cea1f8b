using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

// The assembly that ILGPU makes at run time calls the broken kernels of these tests.
[assembly: InternalsVisibleTo("ILGPURuntime")]

namespace FastLayers.Kernels.Gpu.Tests.Rows;

/// <summary>An emulated device with groups of a chosen size, and memory on it.</summary>
internal sealed class EmulatedRows : IDisposable
{
    private readonly Context _context;
    private readonly Accelerator _accelerator;
    private readonly List<MemoryBuffer> _memory = [];

    public EmulatedRows(int groupSize = 4)
    {
        var device = new CPUDevice(groupSize, 1, 1);
        _context = Context.Create(builder => builder.EnableAlgorithms().CPU(device));
        _accelerator = _context.Devices[0].CreateAccelerator(_context);
        Launcher = new GpuLauncher(_accelerator);
    }

    public GpuLauncher Launcher { get; }

    /// <summary>Memory that holds <paramref name="values"/>.</summary>
    public ArrayView<T> Memory<T>(params T[] values)
        where T : unmanaged
    {
        var memory = _accelerator.Allocate1D<T>(Math.Max(1, values.Length));
        _memory.Add(memory);
        if (values.Length > 0) memory.View.BaseView.SubView(0, values.Length).CopyFromCPU(Launcher.Stream, values);
        return memory.View.BaseView.SubView(0, values.Length);
    }

    /// <summary>What the memory holds after all launches.</summary>
    public T[] Read<T>(ArrayView<T> view)
        where T : unmanaged
    {
        var values = new T[view.Length];
        view.CopyToCPU(Launcher.Stream, values);
        Launcher.Synchronize();
        return values;
    }

    public void Dispose()
    {
        foreach (var memory in _memory) memory.Dispose();
        Launcher.Dispose();
        _accelerator.Dispose();
        _context.Dispose();
    }
}
