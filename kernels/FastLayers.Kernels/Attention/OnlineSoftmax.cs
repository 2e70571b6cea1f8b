using System.Runtime.CompilerServices;
using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// The softmax of one query head, computed online: scores come a page at a time and leave as weights relative to the largest score so far;
/// the weights and values summed before are rescaled when a larger score comes.
/// </summary>
internal static unsafe class OnlineSoftmax<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>Turns the scores of a page into weights.</summary>
    /// <param name="scores">Scores of the page; receives the weights.</param>
    /// <param name="count">Number of scores.</param>
    /// <param name="softCap">If positive, scores s become <c>cap · tanh(s / cap)</c>.</param>
    /// <param name="max">The largest score so far; -∞ before the first page.</param>
    /// <param name="sum">The sum of the weights so far; 0 before the first page.</param>
    /// <param name="output">The sums of weighted values so far.</param>
    /// <param name="size">Length of <paramref name="output"/>.</param>
    public static void Weigh(float* scores, int count, float softCap, ref float max, ref float sum, float* output, int size)
    {
        if (softCap > 0) SoftcapSimd.Row<TLanes>(scores, softCap, scores, count);
        float pageMax = max;
        for (int j = 0; j < count; j++) pageMax = Math.Max(pageMax, scores[j]);
        float rescale = max == pageMax ? 1f : MathF.Exp(max - pageMax);
        max = pageMax;
        if (rescale != 1f)
        {
            sum *= rescale;
            Scale(output, rescale, size);
        }

        // As long as all scores are -∞ none has a share, and -∞ less -∞ would be NaN.
        var reference = TLanes.Broadcast(float.IsNegativeInfinity(max) ? 0f : max);
        sum += RowLoop.MapSum<TLanes, ExpOfDifference>(new(reference), scores, scores, count);
    }

    /// <summary>Divides the sums of weighted values by the sum of the weights; if all scores were -∞, the result is NaN.</summary>
    public static void Divide(float* output, float sum, int size) => Scale(output, 1f / sum, size);

    private static void Scale(float* values, float factor, int count)
    {
        var lanes = TLanes.Broadcast(factor);
        int d = 0;
        for (; d + TLanes.Count <= count; d += TLanes.Count) TLanes.Multiply(TLanes.Load(values + d), lanes).Store(values + d);
        for (; d < count; d++) values[d] *= factor;
    }

    private readonly struct ExpOfDifference(TLanes max) : IOperator1<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x) => LaneMath.Exp(TLanes.Subtract(x, max));
    }
}
