using System.Runtime.InteropServices;

namespace FastLayers;

/// <summary>Memory of the process: allocated on cache-line borders and zeroed, or somebody else's.</summary>
internal sealed unsafe class CpuMemory : DeviceMemory
{
    private const int Alignment = 64;
    private readonly bool _owned;

    /// <summary>Allocates zeroed memory.</summary>
    /// <exception cref="OutOfMemoryException">There is not that much.</exception>
    public CpuMemory(long bytes)
    {
        // Room for a whole vector beyond the end, so that a kernel may read one past its last value.
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)bytes + Alignment, Alignment);
        NativeMemory.Clear(Pointer, (nuint)bytes + Alignment);
        ByteLength = bytes;
        _owned = true;
        GC.AddMemoryPressure(bytes + Alignment);
    }

    /// <summary>Wraps memory that belongs to somebody else.</summary>
    public CpuMemory(byte* pointer, long bytes)
    {
        Pointer = pointer;
        ByteLength = bytes;
    }

    /// <summary>Frees memory that was forgotten.</summary>
    ~CpuMemory() => Dispose(disposing: false);

    public byte* Pointer { get; private set; }

    public override long ByteLength { get; }

    protected override void Dispose(bool disposing)
    {
        if (!_owned || Pointer == null) return;
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        GC.RemoveMemoryPressure(ByteLength + Alignment);
    }
}
