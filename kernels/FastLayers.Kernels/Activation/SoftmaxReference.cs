namespace FastLayers.Kernels.Activation;

/// <summary>The definition of <see cref="Softmax"/> in double precision.</summary>
public static class SoftmaxReference
{
    /// <summary>y[i] = e^(s·x[i] - m) / Σ e^(s·x[j] - m), m the largest s·x.</summary>
    public static void Row(ReadOnlySpan<float> x, float scale, Span<float> y)
    {
        var max = double.NegativeInfinity;
        foreach (var value in x) max = Math.Max(max, (double)scale * value);
        double sum = 0;
        foreach (var value in x) sum += Math.Exp((double)scale * value - max);
        for (var i = 0; i < x.Length; i++) y[i] = (float)(Math.Exp((double)scale * x[i] - max) / sum);
    }
}
