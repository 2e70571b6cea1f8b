namespace FastLayers.Kernels.Normalize;

/// <summary>The definition of <see cref="L2Normalize"/> in double precision.</summary>
public static class L2NormalizeReference
{
    /// <summary>y[i] = x[i] / max(√Σx², ε).</summary>
    public static void Row(ReadOnlySpan<float> x, float epsilon, Span<float> y)
    {
        double squares = 0;
        foreach (var value in x) squares += (double)value * value;
        var inverse = 1 / Math.Max(Math.Sqrt(squares), epsilon);
        for (var i = 0; i < x.Length; i++) y[i] = (float)(x[i] * inverse);
    }
}
