namespace FastLayers.Kernels.Pooling;

/// <summary>The definition of <see cref="RowPooling"/> in double precision.</summary>
public static class RowPoolingReference
{
    /// <summary>y[c] = mean, first, last or maximum of x[r, c] over r.</summary>
    public static void Rows(PoolingKind kind, ReadOnlySpan<float> x, Span<float> y)
    {
        var rows = x.Length / y.Length;
        for (var column = 0; column < y.Length; column++)
        {
            double sum = 0, max = double.NegativeInfinity;
            for (var row = 0; row < rows; row++)
            {
                sum += x[row * y.Length + column];
                max = Math.Max(max, x[row * y.Length + column]);
            }

            y[column] = kind switch
            {
                PoolingKind.Mean => (float)(sum / rows),
                PoolingKind.First => x[column],
                PoolingKind.Last => x[(rows - 1) * y.Length + column],
                PoolingKind.Max => (float)max,
                _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined pooling."),
            };
        }
    }
}
