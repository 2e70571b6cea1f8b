namespace FastLayers.Kernels.Selection;

/// <summary>The definition of <see cref="TopK"/>: repeated search for the largest value that is left.</summary>
public static class TopKReference
{
    /// <summary>The largest values in falling order, the lower index first; returns how many were found.</summary>
    public static int Row(ReadOnlySpan<float> x, Span<int> indices, Span<float> values)
    {
        indices.Fill(-1);
        values.Fill(float.NegativeInfinity);
        for (var k = 0; k < indices.Length; k++)
        {
            var best = -1;
            for (var i = 0; i < x.Length; i++)
                if (!float.IsNaN(x[i]) && !indices[..k].Contains(i) && (best < 0 || x[i] > x[best])) best = i;
            if (best < 0) return k;
            indices[k] = best;
            values[k] = x[best];
        }

        return indices.Length;
    }
}
