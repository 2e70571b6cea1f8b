using System.Collections.Concurrent;
using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FastLayers.Kernels.Gpu;

/// <summary>
/// One stream of an accelerator, in order and asynchronous, with the kernels compiled for it. Kernels are compiled when they are first
/// launched and kept. Not safe for several threads at once.
/// </summary>
public sealed class GpuLauncher : IDisposable
{
    /// <summary>Threads a group at the most; the shared memory of the kernels is sized for it.</summary>
    public const int MaxGroupSize = 256;

    private readonly ConcurrentDictionary<GpuKernel, Delegate> _launchers = new();
    private GpuDeviceLostException? _lost;
    private bool _disposed;

    /// <summary>Opens a stream.</summary>
    /// <param name="accelerator">The accelerator, which must outlive this.</param>
    public GpuLauncher(Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        Accelerator = accelerator;
        Stream = accelerator.CreateStream();

        // Threads of a CPU accelerator are threads of the operating system: a barrier costs more than all arithmetic between two of them.
        int limit = Math.Min(accelerator.MaxNumThreadsPerGroup, MaxGroupSize);
        GroupLimit = 1 << BitOperations.Log2((uint)limit);
    }

    /// <summary>Where the kernels run.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>The stream of all launches and copies.</summary>
    public AcceleratorStream Stream { get; }

    /// <summary>The largest group, a power of two.</summary>
    public int GroupLimit { get; }

    /// <summary>The size of a group that should have <paramref name="preferred"/> threads, a power of two that the accelerator can run.</summary>
    public int GroupSize(int preferred) => Math.Min(preferred, GroupLimit);

    /// <summary>Starts a kernel on <paramref name="groups"/> groups; none at all if there are none.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    /// <exception cref="NotSupportedException">The kernel cannot be compiled for the device.</exception>
    public void Launch<TArguments>(GpuKernel<TArguments> kernel, Index3D groups, int groupSize, TArguments arguments)
        where TArguments : struct
    {
        ArgumentNullException.ThrowIfNull(kernel);
        if (groups.Size == 0) return;
        RequireUsable();
        var launch = Compiled(kernel);
        try
        {
            launch(Stream, new KernelConfig(groups, new Index3D(groupSize, 1, 1)), arguments);
        }
        catch (AcceleratorException e)
        {
            throw Lost(kernel.Name, e);
        }
    }

    /// <summary>Starts a kernel on enough groups of the usual size to have <paramref name="threads"/> threads.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    public void LaunchThreads<TArguments>(GpuKernel<TArguments> kernel, long threads, TArguments arguments)
        where TArguments : struct
    {
        int size = GroupSize(MaxGroupSize);
        Launch(kernel, new Index3D(checked((int)((threads + size - 1) / size)), 1, 1), size, arguments);
    }

    /// <summary>Copies from the host; the values may be changed as soon as this returns.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    public void Upload<T>(ReadOnlySpan<T> values, ArrayView<T> target) where T : unmanaged
    {
        if (values.IsEmpty) return;
        RequireUsable();
        try
        {
            target.SubView(0, values.Length).CopyFromCPU(Stream, values);
        }
        catch (AcceleratorException e)
        {
            throw Lost("a copy to the device", e);
        }
    }

    /// <summary>Waits for all that was started, and copies to the host.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    public void Download<T>(ArrayView<T> source, Span<T> values) where T : unmanaged
    {
        if (values.IsEmpty) return;
        RequireUsable();
        try
        {
            source.SubView(0, values.Length).CopyToCPU(Stream, values);
            Stream.Synchronize();
        }
        catch (AcceleratorException e)
        {
            throw Lost("a copy from the device", e);
        }
    }

    /// <summary>Copies between places that do not overlap.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    public void Copy(ArrayView<byte> source, ArrayView<byte> target)
    {
        if (source.Length == 0) return;
        RequireUsable();
        try
        {
            source.CopyTo(Stream, target);
        }
        catch (AcceleratorException e)
        {
            throw Lost("a copy", e);
        }
    }

    /// <summary>Sets all bytes to zero.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    public void Clear(ArrayView<byte> target)
    {
        if (target.Length == 0) return;
        RequireUsable();
        try
        {
            target.MemSetToZero(Stream);
        }
        catch (AcceleratorException e)
        {
            throw Lost("clearing memory", e);
        }
    }

    /// <summary>Waits until all that was started is done.</summary>
    /// <exception cref="GpuDeviceLostException">The driver reports an error.</exception>
    public void Synchronize()
    {
        RequireUsable();
        try
        {
            Stream.Synchronize();
        }
        catch (AcceleratorException e)
        {
            throw Lost("waiting for the device", e);
        }
    }

    /// <summary>Closes the stream, also one of a device that is lost.</summary>
    public void Dispose()
    {
        _disposed = true;
        Close(Stream);
    }

    /// <summary>Memory of the device, with any content.</summary>
    /// <exception cref="GpuOutOfMemoryException">There is not that much.</exception>
    /// <exception cref="GpuDeviceLostException">The driver reports another error.</exception>
    internal MemoryBuffer1D<byte, Stride1D.Dense> Allocate(long bytes)
    {
        RequireUsable();
        try
        {
            return Accelerator.Allocate1D<byte>(bytes);
        }
        catch (Exception e) when (IsOutOfMemory(e))
        {
            throw new GpuOutOfMemoryException($"{Accelerator.Name} has no room for {bytes:N0} bytes more.", e);
        }
        catch (AcceleratorException e)
        {
            throw Lost($"an allocation of {bytes:N0} bytes", e);
        }
    }

    /// <summary>Gives something back to the driver. That of a device that is lost may refuse, but then has nothing left to give back.</summary>
    internal void Close(IDisposable resource)
    {
        try
        {
            resource.Dispose();
        }
        catch (AcceleratorException e)
        {
            _ = Lost("giving memory back", e);
        }
    }

    /// <summary>Whether an allocation failed only because there is no room. OpenCL has several words for it.</summary>
    internal static bool IsOutOfMemory(Exception exception) => exception switch
    {
        OutOfMemoryException => true,
        CudaException cuda => cuda.Error == nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY),
        CLException cl => cl.Error is CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_RESOURCES or CLError.CL_OUT_OF_HOST_MEMORY or CLError.CL_INVALID_BUFFER_SIZE,
        _ => false,
    };

    /// <summary>Notes that the device is of no use from now on; every later call throws the same.</summary>
    internal GpuDeviceLostException Lost(string during, Exception cause) =>
        _lost ??= new GpuDeviceLostException($"{Accelerator.Name} failed in {during}: {cause.Message}", cause);

    private Action<AcceleratorStream, KernelConfig, TArguments> Compiled<TArguments>(GpuKernel<TArguments> kernel)
        where TArguments : struct
    {
        try
        {
            return (Action<AcceleratorStream, KernelConfig, TArguments>)_launchers.GetOrAdd(
                kernel, static (key, accelerator) => accelerator.LoadKernel(((GpuKernel<TArguments>)key).Action), Accelerator);
        }
        catch (Exception e) when (e is AcceleratorException or InternalCompilerException or NotSupportedException)
        {
            throw new NotSupportedException($"{kernel.Name} cannot be compiled for {Accelerator.Name}: {e.Message}", e);
        }
    }

    /// <summary>Throws if the device is of no use any more.</summary>
    /// <exception cref="GpuDeviceLostException">It is lost.</exception>
    /// <exception cref="ObjectDisposedException">This is disposed.</exception>
    internal void RequireUsable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_lost is not null) throw _lost;
        if (Accelerator.Current == Accelerator) return;
        try
        {
            Accelerator.Bind();
        }
        catch (AcceleratorException e)
        {
            throw Lost("a change of threads", e);
        }
    }
}
