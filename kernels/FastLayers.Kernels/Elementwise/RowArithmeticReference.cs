namespace FastLayers.Kernels.Elementwise;

/// <summary>The definitions of <see cref="RowArithmetic"/> in double precision.</summary>
public static class RowArithmeticReference
{
    /// <summary>y[i] += x[i].</summary>
    public static void Add(ReadOnlySpan<float> x, Span<float> y) => AddScaled(1, x, y);

    /// <summary>y[i] += factor · x[i].</summary>
    public static void AddScaled(float factor, ReadOnlySpan<float> x, Span<float> y)
    {
        for (var i = 0; i < y.Length; i++) y[i] = (float)(y[i] + (double)factor * x[i]);
    }

    /// <summary>y[i] *= factor.</summary>
    public static void Scale(float factor, Span<float> y)
    {
        for (var i = 0; i < y.Length; i++) y[i] = (float)((double)y[i] * factor);
    }

    /// <summary>y[r, i] += bias[i].</summary>
    public static void AddBias(ReadOnlySpan<float> bias, Span<float> y)
    {
        for (var i = 0; i < y.Length; i++) y[i] = (float)((double)y[i] + bias[i % bias.Length]);
    }
}
