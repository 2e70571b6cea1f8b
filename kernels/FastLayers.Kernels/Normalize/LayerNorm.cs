using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>
/// Layer normalization, y[i] = (x[i] - mean) / √(variance + ε) · weight[i] + bias[i], with the variance of the whole row
/// (division by its length; Ba et al., arXiv:1607.06450). The variance is summed around the mean, so a large mean does not cancel it.
/// Bound by reading the row: three passes, two of them from L1 for usual widths.
/// </summary>
public static unsafe class LayerNorm
{
    /// <summary>Normalizes one row.</summary>
    /// <param name="x">The row.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="bias">One summand a column; empty means 0. A bias needs a weight.</param>
    /// <param name="epsilon">Added to the variance; keeps a constant row at the bias.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself. A NaN anywhere in x makes every value NaN.</param>
    /// <exception cref="ArgumentException">Lengths differ, y overlaps an input in part, or there is a bias but no weight.</exception>
    public static void Row(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y) =>
        Row(SimdDispatch.Level, x, weight, bias, epsilon, y);

    /// <summary>Adds to one row, then normalizes it: x[i] += residual[i], and y from the new x.</summary>
    /// <param name="residual">The summands.</param>
    /// <param name="x">The row that is added to.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="bias">One summand a column; empty means 0. A bias needs a weight.</param>
    /// <param name="epsilon">Added to the variance; keeps a constant row at the bias.</param>
    /// <param name="y">Receives the normalized row; apart from <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">
    /// Lengths differ, x or y overlaps an input in part, y overlaps x, or there is a bias but no weight. Nothing is changed then.
    /// </exception>
    public static void ResidualRow(
        ReadOnlySpan<float> residual, Span<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y) =>
        ResidualRow(SimdDispatch.Level, residual, x, weight, bias, epsilon, y);

    internal static void ResidualRow(
        SimdLevel level, ReadOnlySpan<float> residual, Span<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon,
        Span<float> y)
    {
        if (!bias.IsEmpty) RowArguments.RequireLength(nameof(LayerNorm), x.Length, weight.Length, nameof(weight));
        RowArguments.RequireResidual(nameof(LayerNorm), x, weight, y);
        RowArguments.RequireResidual(nameof(LayerNorm), x, bias, y);
        RowArithmetic.Add(level, residual, x);
        Row(level, x, weight, bias, epsilon, y);
    }

    internal static void Row(
        SimdLevel level, ReadOnlySpan<float> x, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
    {
        if (!weight.IsEmpty || !bias.IsEmpty) RowArguments.RequireLength(nameof(LayerNorm), x.Length, weight.Length, nameof(weight));
        if (!bias.IsEmpty) RowArguments.RequireLength(nameof(LayerNorm), x.Length, bias.Length, nameof(bias));
        RowArguments.RequireLength(nameof(LayerNorm), x.Length, y.Length, nameof(y));
        RowArguments.RequireSameOrApart(nameof(LayerNorm), x, y, nameof(y));
        RowArguments.RequireSameOrApart(nameof(LayerNorm), weight, y, nameof(y));
        RowArguments.RequireSameOrApart(nameof(LayerNorm), bias, y, nameof(y));
        fixed (float* source = x, factors = weight, summands = bias, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: LayerNormSimd.Row<Lanes128>(source, factors, summands, epsilon, result, x.Length); break;
                case SimdLevel.V256: LayerNormSimd.Row<Lanes256>(source, factors, summands, epsilon, result, x.Length); break;
                case SimdLevel.V512: LayerNormSimd.Row<Lanes512>(source, factors, summands, epsilon, result, x.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
