namespace FastLayers.Kernels.Pruning;

/// <summary>The definition of <see cref="RowNorms"/> in double precision.</summary>
public static class RowNormsReference
{
    /// <summary>√Σx².</summary>
    public static double Row(ReadOnlySpan<float> x)
    {
        double squares = 0;
        foreach (float value in x) squares += (double)value * value;
        return Math.Sqrt(squares);
    }

    /// <summary>√Σ(y - x)² / √Σx², 0 if nothing changed.</summary>
    public static double RelativeChange(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double changes = 0;
        for (int i = 0; i < x.Length; i++) changes += ((double)y[i] - x[i]) * ((double)y[i] - x[i]);
        return changes == 0 ? 0 : Math.Sqrt(changes) / Row(x);
    }
}
