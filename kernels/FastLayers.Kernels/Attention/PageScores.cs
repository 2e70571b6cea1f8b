using System.Runtime.CompilerServices;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// The products of a tile of queries with the keys of a page. A key is read once for all queries and converted in registers; eight accumulators stand
/// for (token, query) pairs, whose sums come out next to each other. Bound: one multiply-add for each register of a key and query, from the
/// first-level cache; reading the keys where there is one query.
/// </summary>
internal static unsafe class PageScores<TLanes, TFormat, TTile>
    where TLanes : unmanaged, ILanes<TLanes>
    where TFormat : struct, IRowFormat
    where TTile : struct, IQueryTile
{
    private const int Half = CachedRow.BlockLength / 2;

    /// <summary>Computes products.</summary>
    /// <param name="queries">Queries, laid out by <see cref="InterleavedQueries"/>.</param>
    /// <param name="keys">The first key.</param>
    /// <param name="blocks">Blocks of a key.</param>
    /// <param name="count">Number of keys, at least 1.</param>
    /// <param name="scores">Receives [tokens, queries]; written in eights, what is behind the last token is undefined.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Compute(float* queries, byte* keys, int blocks, int count, float* scores)
    {
        int stride = blocks * TFormat.BlockBytes;

        // Of all blocks first: the loop below has no room for the conversion of halves, and would have to save its registers.
        float* scales = stackalloc float[TFormat.HasScales ? count * blocks : 1];
        if (TFormat.HasScales)
        {
            for (int block = 0; block < count * blocks; block++) scales[block] = TFormat.Scale(keys + ((long)block * TFormat.BlockBytes));
        }

        for (int token = 0; token < count; token += 8 / TTile.Queries, scores += 8)
        {
            // The key of each accumulator; behind the last token the last again.
            int t1 = Token(token, count, 1), t2 = Token(token, count, 2), t3 = Token(token, count, 3), t4 = Token(token, count, 4);
            int t5 = Token(token, count, 5), t6 = Token(token, count, 6), t7 = Token(token, count, 7);
            TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero, s4 = TLanes.Zero, s5 = TLanes.Zero, s6 = TLanes.Zero, s7 = TLanes.Zero;
            float* q = queries;
            for (int block = 0; block < blocks; block++)
            {
                byte* key = keys + ((long)block * TFormat.BlockBytes);
                byte* k0 = key + ((long)token * stride);
                byte* k1 = key + ((long)t1 * stride), k2 = key + ((long)t2 * stride), k3 = key + ((long)t3 * stride), k4 = key + ((long)t4 * stride);
                byte* k5 = key + ((long)t5 * stride), k6 = key + ((long)t6 * stride), k7 = key + ((long)t7 * stride);
                float* scale = scales + block;
                TLanes c0 = Scale(scale, token * blocks);
                TLanes c1 = Scale(scale, t1 * blocks), c2 = Scale(scale, t2 * blocks), c3 = Scale(scale, t3 * blocks), c4 = Scale(scale, t4 * blocks);
                TLanes c5 = Scale(scale, t5 * blocks), c6 = Scale(scale, t6 * blocks), c7 = Scale(scale, t7 * blocks);
                for (int i = 0; i < Half; i += TLanes.Count, q += 2 * TTile.Queries * TLanes.Count)
                {
                    TLanes lower = TFormat.Lower(k0, i, c0), upper = TFormat.Upper(k0, i, c0);
                    s0 = Add(s0, q, 0, lower, upper);
                    if (TTile.Queries == 1) (lower, upper) = (TFormat.Lower(k1, i, c1), TFormat.Upper(k1, i, c1));
                    s1 = Add(s1, q, 1, lower, upper);
                    if (TTile.Queries <= 2) (lower, upper) = (TFormat.Lower(k2, i, c2), TFormat.Upper(k2, i, c2));
                    s2 = Add(s2, q, 2, lower, upper);
                    if (TTile.Queries == 1) (lower, upper) = (TFormat.Lower(k3, i, c3), TFormat.Upper(k3, i, c3));
                    s3 = Add(s3, q, 3, lower, upper);
                    if (TTile.Queries <= 4) (lower, upper) = (TFormat.Lower(k4, i, c4), TFormat.Upper(k4, i, c4));
                    s4 = Add(s4, q, 4, lower, upper);
                    if (TTile.Queries == 1) (lower, upper) = (TFormat.Lower(k5, i, c5), TFormat.Upper(k5, i, c5));
                    s5 = Add(s5, q, 5, lower, upper);
                    if (TTile.Queries <= 2) (lower, upper) = (TFormat.Lower(k6, i, c6), TFormat.Upper(k6, i, c6));
                    s6 = Add(s6, q, 6, lower, upper);
                    if (TTile.Queries == 1) (lower, upper) = (TFormat.Lower(k7, i, c7), TFormat.Upper(k7, i, c7));
                    s7 = Add(s7, q, 7, lower, upper);
                }
            }

            TLanes.StoreSums(s0, s1, s2, s3, s4, s5, s6, s7, scores);
        }
    }

    /// <summary>The token of an accumulator.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Token(int first, int count, int accumulator) =>
        accumulator < TTile.Queries ? first : Math.Min(first + (accumulator / TTile.Queries), count - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Scale(float* scales, int place) => TFormat.HasScales ? TLanes.Broadcast(scales[place]) : TLanes.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Add(TLanes sum, float* q, int accumulator, TLanes lower, TLanes upper)
    {
        q += accumulator % TTile.Queries * TLanes.Count;
        sum = TLanes.MultiplyAdd(TLanes.Load(q), lower, sum);
        return TLanes.MultiplyAdd(TLanes.Load(q + (TTile.Queries * TLanes.Count)), upper, sum);
    }
}
