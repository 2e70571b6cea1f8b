using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastLayers.Kernels.Catalog;

/// <summary>What a kernel does with a buffer.</summary>
public enum KernelBufferRole
{
    /// <summary>It is read.</summary>
    Input,

    /// <summary>It is written completely; its content before does not matter.</summary>
    Output,

    /// <summary>It is read and then changed.</summary>
    InputOutput,
}

/// <summary>
/// A named piece of memory that a kernel reads or writes. Its content starts at a multiple of 64 bytes and never moves, so that pointers
/// stay valid. Guard bytes lie on both sides: as floats they are NaN, so that a kernel that reads beyond the end betrays itself, and
/// <see cref="GuardsAreIntact"/> tells whether one wrote there.
/// </summary>
public sealed unsafe class KernelBuffer
{
    private const int Alignment = 64;

    // One register of the widest kind on each side, and room to align.
    internal const int GuardBytes = 64;
    private const byte GuardValue = 0xFF;

    private readonly byte[] _memory;
    private readonly int _start;
    private readonly int _elementBytes;

    internal KernelBuffer(string name, KernelBufferRole role, Type elementType, int elementBytes, int length)
    {
        Name = name;
        Role = role;
        ElementType = elementType;
        Length = length;
        _elementBytes = elementBytes;
        ByteLength = checked(length * elementBytes);
        _memory = GC.AllocateUninitializedArray<byte>(checked(ByteLength + 2 * GuardBytes + Alignment), pinned: true);
        _memory.AsSpan().Fill(GuardValue);
        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory)) + GuardBytes;
        _start = GuardBytes + (int)((Alignment - address % Alignment) % Alignment);
    }

    /// <summary>The name within the operation.</summary>
    public string Name { get; }

    /// <summary>What the kernel does with it.</summary>
    public KernelBufferRole Role { get; }

    /// <summary><see cref="float"/>, <see cref="int"/> or <see cref="byte"/>.</summary>
    public Type ElementType { get; }

    /// <summary>Elements.</summary>
    public int Length { get; }

    /// <summary>Bytes of the elements.</summary>
    public int ByteLength { get; }

    /// <summary>The content as bytes.</summary>
    public Span<byte> Bytes => _memory.AsSpan(_start, ByteLength);

    /// <summary>The content with <see cref="GuardBytes"/> of guard on both sides.</summary>
    internal Span<byte> GuardedBytes => _memory.AsSpan(_start - GuardBytes, ByteLength + (2 * GuardBytes));

    /// <summary>Address of the first element.</summary>
    public byte* Pointer => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory)) + _start;

    /// <summary>Whether nothing was written beside the content.</summary>
    public bool GuardsAreIntact =>
        !_memory.AsSpan(0, _start).ContainsAnyExcept(GuardValue) && !_memory.AsSpan(_start + ByteLength).ContainsAnyExcept(GuardValue);

    /// <summary>The content as elements.</summary>
    /// <exception cref="InvalidOperationException">The buffer holds another type.</exception>
    public Span<T> Elements<T>() where T : unmanaged =>
        typeof(T) == ElementType
            ? MemoryMarshal.Cast<byte, T>(Bytes)
            : throw new InvalidOperationException($"Buffer '{Name}' holds {ElementType.Name}, not {typeof(T).Name}.");

    internal KernelBuffer Clone()
    {
        var copy = new KernelBuffer(Name, Role, ElementType, _elementBytes, Length);
        Bytes.CopyTo(copy.Bytes);
        return copy;
    }
}
