using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>Soft capping, y[i] = cap · tanh(x[i] / cap): bounds logits smoothly to ±cap (used by Gemma 2, arXiv:2408.00118).</summary>
public static unsafe class Softcap
{
    /// <summary>Caps one row.</summary>
    /// <param name="x">The row; ±∞ gives ±cap, NaN stays NaN.</param>
    /// <param name="cap">The bound, positive.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Row(ReadOnlySpan<float> x, float cap, Span<float> y) => Row(SimdDispatch.Level, x, cap, y);

    internal static void Row(SimdLevel level, ReadOnlySpan<float> x, float cap, Span<float> y)
    {
        RowArguments.RequireLength(nameof(Softcap), x.Length, y.Length, nameof(y));
        RowArguments.RequireSameOrApart(nameof(Softcap), x, y, nameof(y));
        fixed (float* source = x, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: SoftcapSimd.Row<Lanes128>(source, cap, result, x.Length); break;
                case SimdLevel.V256: SoftcapSimd.Row<Lanes256>(source, cap, result, x.Length); break;
                case SimdLevel.V512: SoftcapSimd.Row<Lanes512>(source, cap, result, x.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
