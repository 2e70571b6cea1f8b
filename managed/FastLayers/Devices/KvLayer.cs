using FastLayers.Kernels.KvCache;

namespace FastLayers;

/// <summary>The key/value memory of one layer: pages as rows of two matrices.</summary>
public sealed class KvLayer
{
    /// <summary>Kernels load several values at once.</summary>
    private const int PageAlignment = 16;

    /// <summary>Makes a cache of two matrices of whole pages of <see cref="PagedCache.PageLength"/> tokens.</summary>
    /// <param name="keys">[pages · heads · page length, key size], in a format that <see cref="CachedRow.Supports"/>.</param>
    /// <param name="values">[pages · heads · page length, value size], in such a format too.</param>
    /// <param name="heads">Number of key/value heads.</param>
    /// <exception cref="ArgumentException">A format is none of a cache, the pages differ, or there is a part of a page.</exception>
    public KvLayer(Tensor keys, Tensor values, int heads)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        if (!CachedRow.Supports(keys.Format) || !CachedRow.Supports(values.Format) || keys.Rows != values.Rows || keys.Rows % ((long)heads * PagedCache.PageLength) != 0)
            throw new ArgumentException($"Keys {keys} and values {values} are no pages of {PagedCache.PageLength} tokens for {heads} heads, in f32, f16, q8_0 or q4_0.", nameof(values));
        if (keys.ByteOffset % PageAlignment != 0 || values.ByteOffset % PageAlignment != 0)
            throw new ArgumentException($"Pages of keys and values start at multiples of {PageAlignment} bytes, found {keys.ByteOffset} and {values.ByteOffset}.", nameof(values));
        Keys = keys;
        Values = values;
        Heads = heads;
    }

    /// <summary>[pages · heads · page length, key size].</summary>
    public Tensor Keys { get; internal set; }

    /// <summary>[pages · heads · page length, value size].</summary>
    public Tensor Values { get; internal set; }

    /// <summary>Number of key/value heads.</summary>
    public int Heads { get; }
}
