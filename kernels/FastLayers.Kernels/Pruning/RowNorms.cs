using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>
/// What a layer did to the residual stream, by which gates skip layers: the Euclidean norm of a row, n = √Σx² (Void in Language Models,
/// arXiv:2505.14467, compares it before and after a layer), and the relative change of a row, c = √Σ(y - x)² / √Σx². Squares are summed with
/// compensation (Kahan), so that results are within 1e-6 relative error whatever the length of the row. Bound by memory.
/// </summary>
/// <remarks>
/// ∞ if a value is infinite or beyond 1e18, where squares overflow; squares of values below 1e-17 lose digits. NaN if a value is NaN.
/// </remarks>
public static unsafe class RowNorms
{
    /// <summary>The norm of one row.</summary>
    /// <param name="x">The row; 0 if it is empty.</param>
    public static float Row(ReadOnlySpan<float> x) => Row(SimdDispatch.Level, x);

    /// <summary>The relative change of one row: 0 if nothing changed, also where x is 0; ∞ if a row of zeros did.</summary>
    /// <param name="x">The row before.</param>
    /// <param name="y">The row after.</param>
    /// <exception cref="ArgumentException">Lengths differ.</exception>
    public static float RelativeChange(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => RelativeChange(SimdDispatch.Level, x, y);

    internal static float Row(SimdLevel level, ReadOnlySpan<float> x)
    {
        fixed (float* row = x)
        {
            switch (level)
            {
                case SimdLevel.V128: return RowNormsSimd.Norm<Lanes128>(row, x.Length);
                case SimdLevel.V256: return RowNormsSimd.Norm<Lanes256>(row, x.Length);
                case SimdLevel.V512: return RowNormsSimd.Norm<Lanes512>(row, x.Length);
                default: RowArguments.ThrowLevel(level); return 0;
            }
        }
    }

    internal static float RelativeChange(SimdLevel level, ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        RowArguments.RequireLength(nameof(RelativeChange), x.Length, y.Length, nameof(y));
        fixed (float* before = x, after = y)
        {
            switch (level)
            {
                case SimdLevel.V128: return RowNormsSimd.RelativeChange<Lanes128>(before, after, x.Length);
                case SimdLevel.V256: return RowNormsSimd.RelativeChange<Lanes256>(before, after, x.Length);
                case SimdLevel.V512: return RowNormsSimd.RelativeChange<Lanes512>(before, after, x.Length);
                default: RowArguments.ThrowLevel(level); return 0;
            }
        }
    }
}
