using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Activation;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// The softmax of one query, computed online: scores come a page at a time and leave as weights relative to the largest score so far; the weights and
/// values summed before are rescaled when a larger score comes.
/// </summary>
internal static unsafe class RowSoftmax
{
    /// <summary>Turns the scores of a page into weights.</summary>
    /// <param name="scores">A page of scores; receives weights, 0 outside of those that the query sees.</param>
    /// <param name="first">The first that the query sees.</param>
    /// <param name="end">One past the last that it sees.</param>
    /// <param name="softCap">If positive, scores s become <c>cap · tanh(s / cap)</c>.</param>
    /// <param name="max">The largest score so far; -∞ before the first page.</param>
    /// <param name="sum">The sum of the weights so far; 0 before the first page.</param>
    /// <param name="output">The sums of weighted values so far.</param>
    /// <param name="size">Length of <paramref name="output"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weigh(float* scores, int first, int end, float softCap, ref float max, ref float sum, float* output, int size)
    {
        if (end <= first)
        {
            new Span<float>(scores, PagedCache.PageLength).Clear();
            return;
        }

        if (softCap > 0) SoftcapSimd.Row<Lanes256>(scores + first, softCap, scores + first, end - first);
        for (int i = 0; i < first; i++) scores[i] = float.NegativeInfinity;
        for (int i = end; i < PagedCache.PageLength; i++) scores[i] = float.NegativeInfinity;
        var lanes = Vector256.Load(scores);
        for (int i = Lanes256.Count; i < PagedCache.PageLength; i += Lanes256.Count) lanes = Vector256.MaxNative(lanes, Vector256.Load(scores + i));
        float largest = CellRounding.Largest(lanes);
        if (!(largest <= max))
        {
            float rescale = MathF.Exp(max - largest);
            sum *= rescale;
            TileSoftmax.Scale(output, rescale, size);
            max = largest;
        }

        // As long as all scores are -∞ none has a share, and -∞ less -∞ would be NaN.
        var reference = Lanes256.Broadcast(float.IsNegativeInfinity(max) ? 0 : max);
        var total = Lanes256.Zero;
        for (int i = 0; i < PagedCache.PageLength; i += Lanes256.Count)
        {
            var weight = LaneMath.Exp(Lanes256.Subtract(Lanes256.Load(scores + i), reference));
            weight.Store(scores + i);
            total = Lanes256.Add(total, weight);
        }

        sum += Lanes256.Sum(total);
    }
}
