using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// The softmax of a tile of queries, computed online: scores come a page at a time as [tokens, queries] and leave as weights relative to the largest
/// score of each query so far; the weights and values summed before are rescaled when a larger score comes. Eight lanes hold one or several tokens, so
/// that no score has to move.
/// </summary>
internal static unsafe class TileSoftmax
{
    /// <summary>Floats of a register; the queries of a tile divide them.</summary>
    private const int Lanes = 8;

    /// <summary>Turns the scores of a page into weights.</summary>
    /// <param name="scores">Scores of the page, with room for whole registers; receives the weights.</param>
    /// <param name="count">Number of tokens.</param>
    /// <param name="queries">Queries of the tile.</param>
    /// <param name="softCap">If positive, scores s become <c>cap · tanh(s / cap)</c>.</param>
    /// <param name="max">The largest score of each query so far; -∞ before the first page.</param>
    /// <param name="sum">The sum of the weights of each query so far; 0 before the first page.</param>
    /// <param name="output">The sums of weighted values so far, [queries, size].</param>
    /// <param name="size">Values a query.</param>
    public static void Weigh(float* scores, int count, int queries, float softCap, float* max, float* sum, float* output, int size)
    {
        int length = count * queries;
        if (softCap > 0) SoftcapSimd.Row<Lanes256>(scores, softCap, scores, length);
        for (; length % Lanes != 0; length++) scores[length] = float.NegativeInfinity;

        float* lanes = stackalloc float[Lanes];
        float* references = stackalloc float[Lanes];
        var largest = Lanes256.Load(scores);
        for (int i = Lanes; i < length; i += Lanes) largest = Lanes256.Max(largest, Lanes256.Load(scores + i));
        largest.Store(lanes);
        for (int query = 0; query < queries; query++)
        {
            float best = max[query];
            for (int lane = query; lane < Lanes; lane += queries) best = Math.Max(best, lanes[lane]);
            if (best != max[query])
            {
                float rescale = MathF.Exp(max[query] - best);
                sum[query] *= rescale;
                Scale(output + ((long)query * size), rescale, size);
                max[query] = best;
            }

            // As long as all scores are -∞ none has a share, and -∞ less -∞ would be NaN.
            for (int lane = query; lane < Lanes; lane += queries) references[lane] = float.IsNegativeInfinity(best) ? 0 : best;
        }

        var reference = Lanes256.Load(references);
        var total = Lanes256.Zero;
        for (int i = 0; i < length; i += Lanes)
        {
            var weight = LaneMath.Exp(Lanes256.Subtract(Lanes256.Load(scores + i), reference));
            weight.Store(scores + i);
            total = Lanes256.Add(total, weight);
        }

        total.Store(lanes);
        for (int lane = 0; lane < Lanes; lane++) sum[lane % queries] += lanes[lane];
    }

    /// <summary>Multiplies values by a factor.</summary>
    public static void Scale(float* values, float factor, int count)
    {
        var lanes = Lanes256.Broadcast(factor);
        int i = 0;
        for (; i + Lanes <= count; i += Lanes) Lanes256.Multiply(Lanes256.Load(values + i), lanes).Store(values + i);
        for (; i < count; i++) values[i] *= factor;
    }
}
