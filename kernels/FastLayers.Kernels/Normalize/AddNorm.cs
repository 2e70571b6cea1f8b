using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>
/// Residual addition that yields the Euclidean norm of the row: x[i] += residual[i], n = √Σx². One pass; bound by memory. The squares are
/// summed with compensation (Kahan), so that the norm is within 5e-7 relative error whatever the length of the row.
/// </summary>
public static unsafe class AddNorm
{
    /// <summary>Adds to one row.</summary>
    /// <param name="residual">The summands; may be <paramref name="x"/> itself.</param>
    /// <param name="x">The row that is added to. The sums are those of <see cref="Elementwise.RowArithmetic.Add(ReadOnlySpan{float}, Span{float})"/>, bit for bit.</param>
    /// <returns>
    /// The norm of the new row. ∞ if a value is infinite or beyond 1e18, where squares overflow; squares of values below 1e-17 lose digits.
    /// NaN if a value is NaN.
    /// </returns>
    /// <exception cref="ArgumentException">Lengths differ, or x overlaps the summands in part.</exception>
    public static float Row(ReadOnlySpan<float> residual, Span<float> x) => Row(SimdDispatch.Level, residual, x);

    internal static float Row(SimdLevel level, ReadOnlySpan<float> residual, Span<float> x)
    {
        RowArguments.RequireLength(nameof(AddNorm), x.Length, residual.Length, nameof(residual));
        RowArguments.RequireSameOrApart(nameof(AddNorm), residual, x, nameof(x));
        fixed (float* summands = residual, sums = x)
        {
            switch (level)
            {
                case SimdLevel.V128: return AddNormSimd.Row<Lanes128>(summands, sums, x.Length);
                case SimdLevel.V256: return AddNormSimd.Row<Lanes256>(summands, sums, x.Length);
                case SimdLevel.V512: return AddNormSimd.Row<Lanes512>(summands, sums, x.Length);
                default: RowArguments.ThrowLevel(level); return 0;
            }
        }
    }
}
