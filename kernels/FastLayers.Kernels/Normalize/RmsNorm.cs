using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>
/// Root mean square normalization, y[i] = x[i] / √(mean(x²) + ε) · weight[i] (Zhang and Sennrich, arXiv:1910.07467).
/// Bound by reading the row: two passes, the second from L1 for usual widths.
/// </summary>
public static unsafe class RmsNorm
{
    /// <summary>Normalizes one row.</summary>
    /// <param name="x">The row; |x| below 1e18, beyond which the squares overflow.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="epsilon">Added to the mean square; keeps a row of zeros at zero.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself. A NaN anywhere in x makes every value NaN.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps an input in part.</exception>
    public static void Row(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y) =>
        Row(SimdDispatch.Level, x, weight, epsilon, y);

    /// <summary>Adds to one row, then normalizes it: x[i] += residual[i], and y from the new x.</summary>
    /// <param name="residual">The summands.</param>
    /// <param name="x">The row that is added to.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="epsilon">Added to the mean square; keeps a row of zeros at zero.</param>
    /// <param name="y">Receives the normalized row; apart from <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">Lengths differ, x or y overlaps an input in part, or y overlaps x. Nothing is changed then.</exception>
    public static void ResidualRow(ReadOnlySpan<float> residual, Span<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y) =>
        ResidualRow(SimdDispatch.Level, residual, x, weight, epsilon, y);

    internal static void ResidualRow(
        SimdLevel level, ReadOnlySpan<float> residual, Span<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y)
    {
        RowArguments.RequireResidual(nameof(RmsNorm), x, weight, y);
        RowArithmetic.Add(level, residual, x);
        Row(level, x, weight, epsilon, y);
    }

    internal static void Row(SimdLevel level, ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y)
    {
        if (!weight.IsEmpty) RowArguments.RequireLength(nameof(RmsNorm), x.Length, weight.Length, nameof(weight));
        RowArguments.RequireLength(nameof(RmsNorm), x.Length, y.Length, nameof(y));
        RowArguments.RequireSameOrApart(nameof(RmsNorm), x, y, nameof(y));
        RowArguments.RequireSameOrApart(nameof(RmsNorm), weight, y, nameof(y));
        fixed (float* source = x, factors = weight, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: RmsNormSimd.Row<Lanes128>(source, factors, epsilon, result, x.Length); break;
                case SimdLevel.V256: RmsNormSimd.Row<Lanes256>(source, factors, epsilon, result, x.Length); break;
                case SimdLevel.V512: RmsNormSimd.Row<Lanes512>(source, factors, epsilon, result, x.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
