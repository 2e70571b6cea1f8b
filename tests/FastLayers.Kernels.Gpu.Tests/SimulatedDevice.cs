using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Catalog;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests;

/// <summary>An emulated device whose groups have a chosen number of threads, and memory on it.</summary>
internal class SimulatedDevice : IDisposable
{
    private readonly Context _context;
    private readonly List<MemoryBuffer> _memory = [];

    public SimulatedDevice(int groupSize = 4, int multiprocessors = 1)
    {
        _context = GpuPlatform.CreateEmulated(groupSize, multiprocessors);
        Accelerator = GpuPlatform.Devices(_context, GpuBackend.Emulated)[0].CreateAccelerator(_context);
        Launcher = new GpuLauncher(Accelerator);
    }

    public Accelerator Accelerator { get; }

    /// <summary>Where the kernels run.</summary>
    public GpuLauncher Launcher { get; }

    /// <summary>The outcome of other kernels than the library's at the last of the shapes of a catalog entry, which is its largest.</summary>
    /// <param name="name">The catalog entry.</param>
    /// <param name="run">What launches the kernels.</param>
    public KernelOutcome Check(string name, Action<GpuLauncher, GpuBuffers> run)
    {
        var operation = KernelCatalog.Find(name);
        return Check(name, operation.Shapes[^1], 1, run);
    }

    /// <summary>The same at another shape.</summary>
    public KernelOutcome Check(string name, KernelShape shape, ulong seed, Action<GpuLauncher, GpuBuffers> run) =>
        KernelCheck.Run(new GpuKernelRunner(Launcher, "emulated", [new(name, run)]), KernelCatalog.Find(name), shape, seed);

    /// <summary>Memory that holds <paramref name="values"/>.</summary>
    public ArrayView<T> Memory<T>(params T[] values)
        where T : unmanaged
    {
        var memory = Accelerator.Allocate1D<T>(Math.Max(1, values.Length));
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
        Accelerator.Dispose();
        _context.Dispose();
    }
}
