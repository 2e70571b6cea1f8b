using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.KvCache;

/// <summary>The definition of <see cref="AppendKv"/>: value by value, halves by the conversion of .NET, blocks by the encoder of their format.</summary>
public static unsafe class AppendKvReference
{
    /// <summary>Stores the rows.</summary>
    /// <param name="cache">The cache; the pages of all positions exist.</param>
    /// <param name="keys">New keys [rows, heads · key size].</param>
    /// <param name="values">New values [rows, heads · value size].</param>
    /// <param name="sequences">Sequence of each row.</param>
    /// <param name="positions">Position of each row in its sequence.</param>
    public static void Append(
        in PagedCache cache, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, ReadOnlySpan<int> sequences, ReadOnlySpan<int> positions)
    {
        for (int row = 0; row < positions.Length; row++)
        {
            for (int head = 0; head < cache.Heads; head++)
            {
                int index = (row * cache.Heads) + head;
                byte* key = cache.Key(sequences[row], positions[row], head);
                byte* value = cache.Value(sequences[row], positions[row], head);
                Store(cache.KeyFormat, keys.Slice(index * cache.KeySize, cache.KeySize), new Span<byte>(key, cache.KeyBytes));
                Store(cache.ValueFormat, values.Slice(index * cache.ValueSize, cache.ValueSize), new Span<byte>(value, cache.ValueBytes));
            }
        }
    }

    private static void Store(Format format, ReadOnlySpan<float> values, Span<byte> target)
    {
        if (format != Format.F16)
        {
            format.Encode(values, target);
            return;
        }

        var halves = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, Half>(target);
        for (int i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
    }
}
