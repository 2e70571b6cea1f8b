namespace FastLayers.Kernels.Activation;

/// <summary>The definition of <see cref="Softcap"/> in double precision.</summary>
public static class SoftcapReference
{
    /// <summary>y[i] = cap · tanh(x[i] / cap).</summary>
    public static void Row(ReadOnlySpan<float> x, float cap, Span<float> y)
    {
        for (var i = 0; i < x.Length; i++) y[i] = (float)(cap * Math.Tanh((double)x[i] / cap));
    }
}
