using System.Runtime.CompilerServices;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Values of a page and weights.</summary>
internal static unsafe class ValuePage<TPanel, TCells>
    where TPanel : struct, IValuePanel<TCells>
    where TCells : struct, IWeightCells
{
    /// <summary>Adds the weighted values of all queries.</summary>
    /// <param name="values">The first value.</param>
    /// <param name="blocks">Blocks of a value.</param>
    /// <param name="count">Number of values, at least 1 and at most a page.</param>
    /// <param name="memory">The weights, 0 for tokens that a query does not see, and the sums.</param>
    /// <param name="next">What is read after the values.</param>
    /// <returns>Whether cells can hold the values; if not the sums are of no use.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Sums(byte* values, int blocks, int count, in PanelMemory memory, Upcoming next)
    {
        if (TPanel.HasScales && !PanelScales.Read(values, TPanel.BlockBytes, blocks, count, memory)) return false;
        var operands = TCells.Rounds ? memory.Weights : memory.Scores.AsInts();
        for (int block = 0; block < blocks; block++)
        {
            next.Fetch(block, blocks);
            if (!TPanel.Values(values + ((long)block * TPanel.BlockBytes), blocks * TPanel.BlockBytes, count, memory.Cells)) return false;
            if (TCells.Rounds)
            {
                for (int query = 0; query < operands.Count; query++)
                    *memory.WeightScales[query] = TCells.Weights(memory.Scores[query], memory.Scales + (block * PagedCache.PageLength), operands[query]);
            }

            PanelProducts<TCells>.Add(
                memory.Cells, CachedRow.BlockLength / 8, PagedCache.PageLength / TCells.PerCell, (count + TCells.PerCell - 1) / TCells.PerCell, memory.Ones, operands,
                memory.WeightScales, memory.Output.Skip(block * CachedRow.BlockLength));
        }

        return true;
    }
}
