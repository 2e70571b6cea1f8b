namespace FastLayers.Kernels.Selection;

/// <summary>The definition of <see cref="ArgMax"/>.</summary>
public static class ArgMaxReference
{
    /// <summary>The lowest index that holds the largest value, -1 if there is none; NaN is never chosen.</summary>
    public static int Row(ReadOnlySpan<float> x)
    {
        var best = -1;
        for (var i = 0; i < x.Length; i++)
            if (!float.IsNaN(x[i]) && (best < 0 || x[i] > x[best])) best = i;
        return best;
    }
}
