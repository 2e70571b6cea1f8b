namespace FastLayers.Kernels.KvCache;

/// <summary>The definition of <see cref="AppendKv"/>: value by value, halves by the conversion of .NET.</summary>
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
                for (int i = 0; i < cache.KeySize; i++) Store(keys[(index * cache.KeySize) + i], key, i, cache.IsHalf);
                for (int i = 0; i < cache.ValueSize; i++) Store(values[(index * cache.ValueSize) + i], value, i, cache.IsHalf);
            }
        }
    }

    private static void Store(float value, byte* target, int index, bool isHalf)
    {
        if (isHalf) ((Half*)target)[index] = (Half)value;
        else ((float*)target)[index] = value;
    }
}
