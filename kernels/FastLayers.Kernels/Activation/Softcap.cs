using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>Soft capping, y[i] = cap · tanh(x[i] / cap): bounds logits smoothly to ±cap (used by Gemma 2, arXiv:2408.00118).</summary>
public static class Softcap
{
    /// <summary>Caps one row.</summary>
    /// <param name="x">The row; ±∞ gives ±cap, NaN stays NaN.</param>
    /// <param name="cap">The bound, positive.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Row(ReadOnlySpan<float> x, float cap, Span<float> y) => Row(SimdDispatch.Level, x, cap, y);

    internal static void Row(SimdLevel level, ReadOnlySpan<float> x, float cap, Span<float> y) =>
        RowKernel.Run<SoftcapSimd, float>(nameof(Softcap), level, x, cap, y);
}
