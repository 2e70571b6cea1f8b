using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>
/// Euclidean normalization, y[i] = x[i] / max(√Σx², ε): a row of length one, as embeddings are compared with.
/// </summary>
public static class L2Normalize
{
    /// <summary>The usual least length to divide by.</summary>
    public const float SmallestLength = 1e-12f;

    /// <summary>Normalizes one row.</summary>
    /// <param name="x">The row; |x| below 1e18, beyond which the squares overflow.</param>
    /// <param name="epsilon">The least length to divide by, positive; keeps a row of zeros at zero.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself. A NaN anywhere in x makes every value NaN.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Row(ReadOnlySpan<float> x, float epsilon, Span<float> y) => Row(SimdDispatch.Level, x, epsilon, y);

    internal static void Row(SimdLevel level, ReadOnlySpan<float> x, float epsilon, Span<float> y) =>
        RowKernel.Run<L2NormalizeSimd, float>(nameof(L2Normalize), level, x, epsilon, y);
}
