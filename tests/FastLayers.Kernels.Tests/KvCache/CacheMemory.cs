using System.Runtime.InteropServices;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.KvCache;

/// <summary>A quantized cache of one sequence, with the memory for it, pages in reverse order; in the mode of KIVI or with scales per token throughout.</summary>
internal sealed unsafe class CacheMemory : IDisposable
{
    private readonly WorkerPool _pool = new(2);
    private readonly int _tokens;
    private readonly nuint _keyBytes;
    private readonly nuint _valueBytes;
    private readonly int[] _pages;

    public CacheMemory(int bits, bool kivi, int size, int heads, int tokens)
    {
        _tokens = tokens;
        int pages = (tokens + PagedCache.PageLength - 1) / PagedCache.PageLength;
        _pages = [.. Enumerable.Range(0, pages).Reverse()];
        var keys = kivi ? QuantizedPageLayout.PerChannel(heads, size, bits) : QuantizedPageLayout.PerToken(heads, size, bits);
        var values = QuantizedPageLayout.PerToken(heads, size, bits, tail: kivi);
        _keyBytes = (nuint)(pages * keys.PageBytes);
        _valueBytes = (nuint)(pages * values.PageBytes);
        var table = (int*)NativeMemory.Alloc((nuint)pages, sizeof(int));
        for (int page = 0; page < pages; page++) table[page] = _pages[page];
        Cache = new QuantizedCache
        {
            Keys = (byte*)NativeMemory.AllocZeroed(_keyBytes),
            Values = (byte*)NativeMemory.AllocZeroed(_valueBytes),
            KeyLayout = keys,
            ValueLayout = values,
            PageTable = table,
            PagesPerSequence = pages,
            KeyTail = (float*)NativeMemory.AllocZeroed((nuint)keys.TailLength, sizeof(float)),
            ValueTail = (float*)NativeMemory.AllocZeroed((nuint)values.TailLength, sizeof(float)),
            Lengths = (int*)NativeMemory.AllocZeroed(1, sizeof(int)),
        };
    }

    public QuantizedCache Cache { get; }

    public ReadOnlySpan<byte> Keys => new(Cache.Keys, (int)_keyBytes);

    public ReadOnlySpan<byte> Values => new(Cache.Values, (int)_valueBytes);

    public int PageOf(int token) => _pages[token / PagedCache.PageLength];

    /// <summary>Appends tokens <paramref name="start"/> to <paramref name="end"/> of [tokens, heads · size].</summary>
    public void Append(float[] keys, float[] values, int start, int end)
    {
        int row = Cache.Heads * Cache.KeyLayout.Size;
        fixed (float* k = keys, v = values)
        fixed (int* sequences = new int[_tokens], positions = Enumerable.Range(0, _tokens).ToArray())
            AppendQuantizedKv.Append(_pool, Cache, k + (start * row), v + (start * row), sequences, positions + start, end - start);
        *Cache.Lengths = end;
    }

    public static float[] Noise(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 1.5))];
    }

    public void Dispose()
    {
        NativeMemory.Free(Cache.Keys);
        NativeMemory.Free(Cache.Values);
        NativeMemory.Free(Cache.PageTable);
        NativeMemory.Free(Cache.KeyTail);
        NativeMemory.Free(Cache.ValueTail);
        NativeMemory.Free(Cache.Lengths);
        _pool.Dispose();
    }
}
