namespace FastLayers.Kernels.Gather;

/// <summary>The definitions of <see cref="RowMoves"/>, sums in double precision.</summary>
public static class RowMovesReference
{
    /// <summary>output[r] = input[indices[r]].</summary>
    public static void Gather(ReadOnlySpan<float> input, ReadOnlySpan<int> indices, int columns, Span<float> output)
    {
        for (var i = 0; i < output.Length; i++) output[i] = input[indices[i / columns] * columns + i % columns];
    }

    /// <summary>target[indices[r]] += weights[r] · source[r].</summary>
    public static void ScatterAdd(ReadOnlySpan<float> source, ReadOnlySpan<float> weights, ReadOnlySpan<int> indices, int columns, Span<float> target)
    {
        for (var i = 0; i < target.Length; i++)
        {
            double sum = target[i];
            for (var r = 0; r < indices.Length; r++)
                if (indices[r] == i / columns) sum += (weights.IsEmpty ? 1.0 : weights[r]) * source[r * columns + i % columns];
            target[i] = (float)sum;
        }
    }

    /// <summary>The positions of the flags that are not 0, then -1; returns how many there are.</summary>
    public static int FindKept(ReadOnlySpan<int> keep, Span<int> indices)
    {
        var count = 0;
        for (var i = 0; i < keep.Length; i++)
            if (keep[i] != 0) indices[count++] = i;
        indices[count..].Fill(-1);
        return count;
    }

    /// <summary>rows[r] = rows[kept[r]]; the rows behind stay.</summary>
    public static void Compact(Span<float> rows, ReadOnlySpan<int> kept, int columns)
    {
        float[] before = rows.ToArray();
        Gather(before, kept, columns, rows[..(kept.Length * columns)]);
    }
}
