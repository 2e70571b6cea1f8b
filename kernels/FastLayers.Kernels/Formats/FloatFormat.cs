using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastLayers.Kernels.Formats;

/// <summary>A format that stores each value by itself, as a float of some width.</summary>
internal abstract class FloatFormat<TElement>(FormatTraits traits) : Format(traits) where TElement : unmanaged
{
    public sealed override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        RequireLength(nameof(values), BlockCount(blocks), values.Length);
        DecodeElements(MemoryMarshal.Cast<byte, TElement>(blocks), values);
    }

    public sealed override void Encode(ReadOnlySpan<float> values, Span<byte> blocks, ReadOnlySpan<float> importance = default)
    {
        BlockCountToEncode(values.Length, blocks.Length, importance.Length);
        EncodeElements(values, MemoryMarshal.Cast<byte, TElement>(blocks));
    }

    private protected abstract void DecodeElements(ReadOnlySpan<TElement> elements, Span<float> values);

    private protected abstract void EncodeElements(ReadOnlySpan<float> values, Span<TElement> elements);

    private protected static FormatTraits FloatTraits(string name, int typeId) => new(name, typeId, 1, Unsafe.SizeOf<TElement>(), 0);
}
