using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Pruning;

/// <summary>
/// How much attention each token gets, the ranking by which visual tokens are dropped (PyramidDrop, arXiv:2410.17247; VisionZip,
/// arXiv:2412.04467; both stages of DUET-VLM, arXiv:2602.18846): scores[i] = mean over query rows and heads of softmax(scale · q·Kᵀ + mask)[i].
/// The scores of all tokens sum to 1. The matrix is never stored: one pass over the keys finds the largest product and the sum of every row
/// and head, a second one computes the products again and adds up columns, in an order that does not depend on the number of threads.
/// A NaN in a query makes all scores NaN that its row sees, one in a key those of the rows that see it.
/// </summary>
public static unsafe class AttentionColumnSums
{
    /// <summary>Computes the scores.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="query">Queries of the rows that attend [rows, heads · size], rotated already.</param>
    /// <param name="keys">Keys of the sequence [tokens, key heads · size], rotated already.</param>
    /// <param name="positions">Place of each row in the sequence: it sees the keys up to that. Empty where all rows see all keys.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="scratch"><see cref="AttentionColumnShape.ScratchLength"/> floats.</param>
    /// <param name="scores">Receives one score a token.</param>
    /// <exception cref="ArgumentException">A length does not fit the sizes, heads do not share evenly, a position is no token, or there is no row.</exception>
    public static void Compute(
        WorkerPool pool, ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<int> positions, AttentionColumnShape shape, Span<float> scratch, Span<float> scores) =>
        Compute(SimdDispatch.Level, pool, query, keys, positions, shape, scratch, scores);

    /// <summary>
    /// Computes the scores of the attention that <see cref="AttentionSimd"/> computes: over a paged cache, with windows and soft caps. A row that
    /// sees nothing adds nothing.
    /// </summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands, all rows of one sequence; <see cref="AttentionArguments.Output"/> is not used.</param>
    /// <param name="tokens">Positions from 0 on that get a score, all that a row sees.</param>
    /// <param name="scratch">Memory for 2 · rows · heads floats.</param>
    /// <param name="scores">Receives one score a token.</param>
    /// <exception cref="ArgumentException">Rows of different sequences, a row that sees positions behind the tokens or without a page, heads that do not share evenly, or no row.</exception>
    public static void Compute(WorkerPool pool, in AttentionArguments arguments, int tokens, float* scratch, float* scores) =>
        Compute(SimdDispatch.Level, pool, arguments, tokens, scratch, scores);

    internal static void Compute(SimdLevel level, WorkerPool pool, in AttentionArguments arguments, int tokens, float* scratch, float* scores)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var shape = AttentionColumnShape.Of(arguments, tokens);
        switch (level)
        {
            case SimdLevel.V512: AttentionColumnSumsSimd<Lanes512>.Run(pool, arguments, shape, scratch, scores); break;
            case SimdLevel.V256: AttentionColumnSumsSimd<Lanes256>.Run(pool, arguments, shape, scratch, scores); break;
            case SimdLevel.V128: AttentionColumnSumsSimd<Lanes128>.Run(pool, arguments, shape, scratch, scores); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }

    internal static void Compute(
        SimdLevel level, WorkerPool pool, ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<int> positions, AttentionColumnShape shape,
        Span<float> scratch, Span<float> scores)
    {
        ArgumentNullException.ThrowIfNull(pool);
        shape.Check();
        shape.CheckPositions(positions);
        AttentionColumnShape.Require(nameof(query), (long)shape.Rows * shape.Heads * shape.Size, query.Length);
        AttentionColumnShape.Require(nameof(keys), (long)shape.Tokens * shape.KeyHeads * shape.Size, keys.Length);
        AttentionColumnShape.Require(nameof(scratch), shape.ScratchLength, scratch.Length);
        AttentionColumnShape.Require(nameof(scores), shape.Tokens, scores.Length);
        fixed (float* queries = query, allKeys = keys, statistics = scratch, result = scores)
        fixed (int* places = positions)
        {
            switch (level)
            {
                case SimdLevel.V512: AttentionColumnSumsSimd<Lanes512>.Run(pool, queries, allKeys, places, shape, statistics, result); break;
                case SimdLevel.V256: AttentionColumnSumsSimd<Lanes256>.Run(pool, queries, allKeys, places, shape, statistics, result); break;
                case SimdLevel.V128: AttentionColumnSumsSimd<Lanes128>.Run(pool, queries, allKeys, places, shape, statistics, result); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
