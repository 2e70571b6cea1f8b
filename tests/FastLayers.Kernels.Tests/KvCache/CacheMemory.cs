using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.KvCache;

/// <summary>A quantized cache of one sequence, with the memory for it, pages in reverse order; in the mode of KIVI or with scales per token throughout.</summary>
internal sealed unsafe class CacheMemory : IDisposable
{
    private readonly WorkerPool _pool = new(2);
    private readonly PackedCacheMemory _memory;
    private readonly int _tokens;
    private readonly int[] _pages;

    public CacheMemory(int bits, bool kivi, int size, int heads, int tokens)
    {
        _tokens = tokens;
        _pages = [.. Enumerable.Range(0, (tokens + PagedCache.PageLength - 1) / PagedCache.PageLength).Reverse()];
        var keys = kivi ? QuantizedPageLayout.PerChannel(heads, size, bits) : QuantizedPageLayout.PerToken(heads, size, bits);
        _memory = new PackedCacheMemory(keys, QuantizedPageLayout.PerToken(heads, size, bits, tail: kivi), _pages, 0);
    }

    public QuantizedCache Cache => _memory.Cache;

    public ReadOnlySpan<byte> Keys => _memory.Keys;

    public ReadOnlySpan<byte> Values => _memory.Values;

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
        _memory.Dispose();
        _pool.Dispose();
    }
}
