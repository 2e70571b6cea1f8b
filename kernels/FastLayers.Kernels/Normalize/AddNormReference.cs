namespace FastLayers.Kernels.Normalize;

/// <summary>The definition of <see cref="AddNorm"/> in double precision.</summary>
public static class AddNormReference
{
    /// <summary>x[i] += residual[i]; returns √Σx².</summary>
    public static float Row(ReadOnlySpan<float> residual, Span<float> x)
    {
        double squares = 0;
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = (float)((double)x[i] + residual[i]);
            squares += (double)x[i] * x[i];
        }

        return (float)Math.Sqrt(squares);
    }
}
