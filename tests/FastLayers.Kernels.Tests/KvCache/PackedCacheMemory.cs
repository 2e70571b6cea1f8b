using System.Runtime.InteropServices;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Tests.KvCache;

/// <summary>A quantized cache with the memory for its pages, tails and lengths; zeros at first.</summary>
internal sealed unsafe class PackedCacheMemory : IDisposable
{
    private readonly int _keyBytes;
    private readonly int _valueBytes;
    private readonly int _sequences;

    /// <param name="keys">Layout of a page of keys.</param>
    /// <param name="values">Layout of a page of values.</param>
    /// <param name="table">Pages of the first sequence, then of the next; each page once.</param>
    /// <param name="lengths">Tokens that each sequence holds.</param>
    public PackedCacheMemory(QuantizedPageLayout keys, QuantizedPageLayout values, ReadOnlySpan<int> table, params ReadOnlySpan<int> lengths)
    {
        _keyBytes = checked((int)(table.Length * keys.PageBytes));
        _valueBytes = checked((int)(table.Length * values.PageBytes));
        _sequences = lengths.Length;
        Cache = new QuantizedCache
        {
            Keys = (byte*)NativeMemory.AllocZeroed((nuint)_keyBytes),
            Values = (byte*)NativeMemory.AllocZeroed((nuint)_valueBytes),
            KeyLayout = keys,
            ValueLayout = values,
            PageTable = Copy(table),
            PagesPerSequence = table.Length / lengths.Length,
            KeyTail = (float*)NativeMemory.AllocZeroed((nuint)(_sequences * keys.TailLength), sizeof(float)),
            ValueTail = (float*)NativeMemory.AllocZeroed((nuint)(_sequences * values.TailLength), sizeof(float)),
            Lengths = Copy(lengths),
        };
    }

    public QuantizedCache Cache { get; }

    public ReadOnlySpan<byte> Keys => new(Cache.Keys, _keyBytes);

    public ReadOnlySpan<byte> Values => new(Cache.Values, _valueBytes);

    public ReadOnlySpan<float> KeyTail => new(Cache.KeyTail, (int)(_sequences * Cache.KeyLayout.TailLength));

    public ReadOnlySpan<float> ValueTail => new(Cache.ValueTail, (int)(_sequences * Cache.ValueLayout.TailLength));

    public void Dispose()
    {
        NativeMemory.Free(Cache.Keys);
        NativeMemory.Free(Cache.Values);
        NativeMemory.Free(Cache.PageTable);
        NativeMemory.Free(Cache.KeyTail);
        NativeMemory.Free(Cache.ValueTail);
        NativeMemory.Free(Cache.Lengths);
    }

    private static int* Copy(ReadOnlySpan<int> source)
    {
        var copy = (int*)NativeMemory.Alloc((nuint)source.Length, sizeof(int));
        source.CopyTo(new Span<int>(copy, source.Length));
        return copy;
    }
}
