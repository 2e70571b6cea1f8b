using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu;

/// <summary>
/// Memory of an accelerator that is kept when it is given back, since asking the driver waits for the device. A buffer goes from one user to
/// the next without waiting, because all work is on one stream. Not safe for several threads at once.
/// </summary>
internal sealed class GpuAllocator(GpuLauncher launcher, long limit) : IDisposable
{
    /// <summary>Sizes are multiples of this, so that every buffer starts and ends on a border of the widest loads.</summary>
    private const long Granularity = 256;

    /// <summary>Buffers up to this size are rounded up to an eighth of a power of two, so that they serve again; larger ones are exact.</summary>
    private const long LargestRounded = 16 << 20;

    private readonly Dictionary<long, Stack<MemoryBuffer1D<byte, Stride1D.Dense>>> _free = [];

    /// <summary>Buffers in use.</summary>
    public int LiveBuffers { get; private set; }

    /// <summary>Bytes in use.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>Bytes kept for the next user.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>A buffer of at least this many bytes, with any content.</summary>
    /// <exception cref="GpuOutOfMemoryException">There is not that much.</exception>
    /// <exception cref="GpuDeviceLostException">The device is lost, which says nothing about room.</exception>
    public MemoryBuffer1D<byte, Stride1D.Dense> Rent(long bytes)
    {
        launcher.RequireUsable();
        long size = SizeFor(bytes);
        if (_free.TryGetValue(size, out var free) && free.Count > 0)
        {
            KeptBytes -= size;
            return Use(free.Pop());
        }

        if (size > limit - LiveBytes - KeptBytes) Trim();
        if (size > limit - LiveBytes) throw OutOfMemory(bytes, null);
        try
        {
            return Use(launcher.Allocate(size));
        }
        catch (GpuOutOfMemoryException)
        {
            Trim();
        }

        try
        {
            return Use(launcher.Allocate(size));
        }
        catch (GpuOutOfMemoryException e)
        {
            throw OutOfMemory(bytes, e.InnerException);
        }
    }

    /// <summary>Takes a buffer back.</summary>
    public void Return(MemoryBuffer1D<byte, Stride1D.Dense> buffer)
    {
        LiveBuffers--;
        LiveBytes -= buffer.Length;
        KeptBytes += buffer.Length;
        if (!_free.TryGetValue(buffer.Length, out var free)) _free[buffer.Length] = free = new();
        free.Push(buffer);
    }

    /// <summary>Gives what is kept back to the driver.</summary>
    public void Trim()
    {
        foreach (var buffers in _free.Values)
        {
            while (buffers.TryPop(out var buffer)) launcher.Close(buffer);
        }

        KeptBytes = 0;
    }

    public void Dispose() => Trim();

    private static long SizeFor(long bytes)
    {
        long size = Math.Max(bytes, 1);
        long step = size > LargestRounded ? Granularity : Math.Max(Granularity, (long)BitOperations.RoundUpToPowerOf2((ulong)size) / 16);
        return (size + step - 1) / step * step;
    }

    private MemoryBuffer1D<byte, Stride1D.Dense> Use(MemoryBuffer1D<byte, Stride1D.Dense> buffer)
    {
        LiveBuffers++;
        LiveBytes += buffer.Length;
        return buffer;
    }

    private GpuOutOfMemoryException OutOfMemory(long bytes, Exception? cause) => new(
        $"{launcher.Accelerator.Name} has no room for {bytes:N0} bytes more: {LiveBytes:N0} bytes in {LiveBuffers} buffers are in use, of {Math.Min(limit, launcher.Accelerator.MemorySize):N0}.", cause);
}
