using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>
/// Euclidean normalization, y[i] = x[i] / max(√Σx², ε): a row of length one, as embeddings are compared with.
/// </summary>
public static unsafe class L2Normalize
{
    /// <summary>Normalizes one row.</summary>
    /// <param name="x">The row; |x| below 1e18, beyond which the squares overflow.</param>
    /// <param name="epsilon">The least length to divide by, positive; keeps a row of zeros at zero.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself. A NaN anywhere in x makes every value NaN.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Row(ReadOnlySpan<float> x, float epsilon, Span<float> y) => Row(SimdDispatch.Level, x, epsilon, y);

    internal static void Row(SimdLevel level, ReadOnlySpan<float> x, float epsilon, Span<float> y)
    {
        RowArguments.RequireLength(nameof(L2Normalize), x.Length, y.Length, nameof(y));
        RowArguments.RequireSameOrApart(nameof(L2Normalize), x, y, nameof(y));
        fixed (float* source = x, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: L2NormalizeSimd.Row<Lanes128>(source, epsilon, result, x.Length); break;
                case SimdLevel.V256: L2NormalizeSimd.Row<Lanes256>(source, epsilon, result, x.Length); break;
                case SimdLevel.V512: L2NormalizeSimd.Row<Lanes512>(source, epsilon, result, x.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
