using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>The order in which <see cref="PageScores{TLanes, TFormat, TTile}"/> reads queries: for each register of a block's first half, and the same of its second half, those of all queries.</summary>
internal static unsafe class InterleavedQueries
{
    /// <summary>Lays queries out.</summary>
    /// <param name="source">Queries, one after the other.</param>
    /// <param name="count">Queries there are; the others of the tile become zeros.</param>
    /// <param name="tile">Queries of the tile.</param>
    /// <param name="lanes">Floats a register.</param>
    /// <param name="size">Values a query; up to whole blocks zeros follow.</param>
    /// <param name="scale">Factor of all values.</param>
    /// <param name="target">Receives the values of the tile.</param>
    public static void Write(float* source, int count, int tile, int lanes, int size, float scale, float* target)
    {
        const int half = CachedRow.BlockLength / 2;
        for (int start = 0; start < size; start += CachedRow.BlockLength)
        {
            for (int i = 0; i < half; i += lanes)
            {
                for (int part = start + i; part < start + CachedRow.BlockLength; part += half)
                {
                    for (int query = 0; query < tile; query++, target += lanes)
                    {
                        for (int lane = 0; lane < lanes; lane++)
                            target[lane] = query < count && part + lane < size ? source[((long)query * size) + part + lane] * scale : 0;
                    }
                }
            }
        }
    }
}
