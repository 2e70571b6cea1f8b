using System.Runtime.InteropServices;

namespace FastLayers;

/// <summary>
/// Memory of the process: allocated on cache-line borders and zeroed, or somebody else's. Large allocations are zeros that the system hands out
/// where they are touched, so a cache for a long context costs what is used of it.
/// </summary>
internal sealed unsafe class CpuMemory : DeviceMemory
{
    private const int CacheLine = 64;
    private readonly byte* _allocation;
    private bool _disposed;

    /// <summary>Allocates zeroed memory.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="isReadThrough">Whether all of it will be used, and read from end to end, as the weights of a product are.</param>
    /// <exception cref="OutOfMemoryException">There is not that much.</exception>
    public CpuMemory(long bytes, bool isReadThrough = false)
    {
        // Room for a whole vector beyond the end, so that a kernel may read one past its last value. Large pages start at multiples of their
        // size; what is left before the first is never touched.
        nuint alignment = (nuint)(isReadThrough && bytes >= PageAdvice.LargePage ? PageAdvice.LargePage : CacheLine);
        try
        {
            _allocation = (byte*)NativeMemory.AllocZeroed((nuint)bytes + alignment + CacheLine);
        }
        catch (OutOfMemoryException exception)
        {
            throw new InsufficientMemoryException($"There is no memory for {bytes} bytes.", exception);
        }

        Pointer = (byte*)(((nuint)_allocation + alignment - 1) / alignment * alignment);
        ByteLength = bytes;
        if (alignment == PageAdvice.LargePage) PageAdvice.UseLargePages(Pointer, bytes);
        GC.AddMemoryPressure(bytes + CacheLine);
    }

    /// <summary>Wraps memory that belongs to somebody else; disposing forgets where it is.</summary>
    public CpuMemory(byte* pointer, long bytes)
    {
        Pointer = pointer;
        ByteLength = bytes;
    }

    /// <summary>Frees memory that was forgotten.</summary>
    ~CpuMemory() => Dispose(disposing: false);

    public byte* Pointer { get; private set; }

    public override long ByteLength { get; }

    public override bool IsDisposed => _disposed;

    protected override void Dispose(bool disposing)
    {
        if (IsDisposed) return;
        _disposed = true;
        Pointer = null;
        if (_allocation == null) return;
        NativeMemory.Free(_allocation);
        GC.RemoveMemoryPressure(ByteLength + CacheLine);
    }
}
