namespace FastLayers.Kernels.Normalize;

/// <summary>The definition of <see cref="LayerNorm"/> in double precision.</summary>
public static class LayerNormReference
{
    /// <summary>y[i] = (x[i] - mean) / √(variance + ε) · weight[i] + bias[i]; an empty weight means 1, an empty bias 0.</summary>
    public static void Row(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
    {
        double sum = 0;
        foreach (var value in x) sum += value;
        var mean = sum / x.Length;

        double squares = 0;
        foreach (var value in x) squares += (value - mean) * (value - mean);
        var inverse = 1 / Math.Sqrt(squares / x.Length + epsilon);

        for (var i = 0; i < x.Length; i++)
            y[i] = (float)((x[i] - mean) * inverse * (weight.IsEmpty ? 1 : weight[i]) + (bias.IsEmpty ? 0 : bias[i]));
    }
}
