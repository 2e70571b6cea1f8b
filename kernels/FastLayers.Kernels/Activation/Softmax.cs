using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>
/// y[i] = e^(s·x[i]) / Σ e^(s·x[j]), computed from the distance to the largest s·x, so that nothing overflows. Three passes; bound by the
/// exponentials of the second.
/// </summary>
public static class Softmax
{
    /// <summary>The softmax of one row.</summary>
    /// <param name="x">
    /// The row. -∞ gets the share 0. A NaN or +∞ anywhere makes every value NaN, and so does a row of nothing but -∞.
    /// </param>
    /// <param name="scale">s, 1/√(head length) in attention; may be negative.</param>
    /// <param name="y">Receives the shares; may be <paramref name="x"/> itself.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Row(ReadOnlySpan<float> x, float scale, Span<float> y) => Row(SimdDispatch.Level, x, scale, y);

    internal static void Row(SimdLevel level, ReadOnlySpan<float> x, float scale, Span<float> y) =>
        RowKernel.Run<SoftmaxSimd, float>(nameof(Softmax), level, x, scale, y);
}
