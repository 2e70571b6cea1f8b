namespace FastLayers.Kernels.Normalize;

/// <summary>The definition of <see cref="RmsNorm"/> in double precision.</summary>
public static class RmsNormReference
{
    /// <summary>y[i] = x[i] / √(mean(x²) + ε) · weight[i]; an empty weight means 1.</summary>
    public static void Row(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y)
    {
        double squares = 0;
        foreach (var value in x) squares += (double)value * value;
        var inverse = 1 / Math.Sqrt(squares / x.Length + epsilon);
        for (var i = 0; i < x.Length; i++) y[i] = (float)(x[i] * inverse * (weight.IsEmpty ? 1 : weight[i]));
    }
}
