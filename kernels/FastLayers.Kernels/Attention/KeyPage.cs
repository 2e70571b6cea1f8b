using System.Runtime.CompilerServices;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Keys of a page and queries: block by block the keys become a panel, which stays in the first-level cache while all queries go over it.</summary>
internal static unsafe class KeyPage<TPanel, TCells>
    where TPanel : struct, IKeyPanel<TCells>
    where TCells : struct, IQueryCells
{
    /// <summary>Lays out a query.</summary>
    /// <param name="query">The values.</param>
    /// <param name="scale">Their factor.</param>
    /// <param name="blocks">Blocks of values.</param>
    /// <param name="operand">Receives 32 numbers a block.</param>
    /// <param name="operandScales">Receives the scale of each block.</param>
    public static void Prepare(float* query, float scale, int blocks, int* operand, float* operandScales)
    {
        for (int block = 0; block < blocks; block++, query += CachedRow.BlockLength, operand += CachedRow.BlockLength) operandScales[block] = TCells.Query(query, scale, operand);
    }

    /// <summary>Computes the scores of all queries.</summary>
    /// <param name="keys">The first key.</param>
    /// <param name="blocks">Blocks of a key.</param>
    /// <param name="count">Number of keys, at least 1 and at most a page.</param>
    /// <param name="memory">The queries; receives the scores, and anything behind those of the last key.</param>
    /// <param name="next">What is read after the keys.</param>
    /// <returns>Whether cells can hold the keys; if not there are no scores.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Scores(byte* keys, int blocks, int count, in PanelMemory memory, Upcoming next)
    {
        if (TPanel.HasScales && !PanelScales.Read(keys, TPanel.BlockBytes, blocks, count, memory)) return false;
        new Span<float>(memory.Scores[0], memory.Scores.Count * PagedCache.PageLength).Clear();
        int steps = CachedRow.BlockLength / TCells.PerCell;
        for (int block = 0; block < blocks; block++)
        {
            next.Fetch(block, blocks);
            if (!TPanel.Keys(keys + ((long)block * TPanel.BlockBytes), blocks * TPanel.BlockBytes, count, memory.Cells)) return false;
            float* scales = TPanel.HasScales ? memory.Scales + (block * PagedCache.PageLength) : memory.Ones;
            PanelProducts<TCells>.Add(memory.Cells, (count + 7) / 8, steps, steps, scales, memory.Queries.Skip(block * CachedRow.BlockLength), memory.QueryScales.Skip(block), memory.Scores);
        }

        return true;
    }
}
