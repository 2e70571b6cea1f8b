using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Selection;

/// <summary>
/// The router of a mixture-of-experts block: softmax over the experts, then the k largest shares (Shazeer et al., arXiv:1701.06538).
/// The order is that of the logits, which is the order of the shares before they are rounded.
/// </summary>
public static unsafe class ExpertRouting
{
    /// <summary>Chooses as many experts as the results hold.</summary>
    /// <param name="logits">One router output an expert. NaN is never chosen; of equal logits the lower expert comes first.</param>
    /// <param name="renormalize">
    /// Whether the weights of the chosen experts sum to one (<c>norm_topk_prob</c>). Otherwise they are their shares of the softmax over
    /// all experts, NaN if any logit is NaN.
    /// </param>
    /// <param name="experts">Receives the experts, by falling weight; -1 where there are too few numbers.</param>
    /// <param name="weights">Receives the weights; 0 where there are too few numbers. As long as <paramref name="experts"/>.</param>
    /// <returns>How many were chosen.</returns>
    /// <exception cref="ArgumentException">The results differ in length, or overlap the logits.</exception>
    public static int Row(ReadOnlySpan<float> logits, bool renormalize, Span<int> experts, Span<float> weights) =>
        Row(SimdDispatch.Level, logits, renormalize, experts, weights);

    internal static int Row(SimdLevel level, ReadOnlySpan<float> logits, bool renormalize, Span<int> experts, Span<float> weights)
    {
        var count = TopK.Row(level, logits, experts, weights);
        weights[count..].Clear();
        if (count == 0) return 0;

        var chosen = weights[..count];
        if (renormalize)
        {
            Softmax.Row(level, chosen, 1, chosen);
            return count;
        }

        var max = chosen[0];
        var inverse = 1 / SumOfExp(level, logits, max);
        foreach (ref var weight in chosen) weight = MathF.Exp(weight - max) * inverse;
        return count;
    }

    private static float SumOfExp(SimdLevel level, ReadOnlySpan<float> logits, float max)
    {
        fixed (float* source = logits)
        {
            switch (level)
            {
                case SimdLevel.V128: return SoftmaxSimd.SumOfExp<Lanes128>(source, max, logits.Length);
                case SimdLevel.V256: return SoftmaxSimd.SumOfExp<Lanes256>(source, max, logits.Length);
                case SimdLevel.V512: return SoftmaxSimd.SumOfExp<Lanes512>(source, max, logits.Length);
                default: RowArguments.ThrowLevel(level); return 0;
            }
        }
    }
}
