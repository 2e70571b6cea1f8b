using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Attention of neighboring rows of one sequence, whose heads are whole blocks, by panels: each page is taken apart once, block by block, for all rows and query
/// heads. Where keys or values are codes, queries and weights are rounded to codes too, and products are whole numbers.
/// </summary>
internal readonly unsafe struct PanelRows(AttentionArguments arguments, ContextSplit split, float* workspace)
{
    /// <summary>Queries beyond this are not rounded: scores and sums of their products could overflow.</summary>
    private const float LargestQuery = 1e18f;

    private int Group => arguments.GroupSize;

    private int KeyBlocks => arguments.Cache.KeySize / CachedRow.BlockLength;

    private int ValueBlocks => arguments.Cache.ValueSize / CachedRow.BlockLength;

    /// <summary>Numbers that an item needs.</summary>
    public long MemoryLength => PanelMemory.Length(split.RowsPerTile * Group, KeyBlocks, ValueBlocks);

    /// <summary>Computes rows.</summary>
    /// <param name="firstRow">The first.</param>
    /// <param name="endRow">One past the last.</param>
    /// <param name="kvHead">The key/value head.</param>
    /// <param name="part">The part of the context.</param>
    /// <param name="numbers">Memory for <see cref="MemoryLength"/> numbers.</param>
    /// <returns>False, with nothing stored, if something that would have to be rounded is not finite.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryAttend(int firstRow, int endRow, int kvHead, int part, int* numbers)
    {
        var cache = arguments.Cache;
        var memory = PanelMemory.Begin(numbers, (endRow - firstRow) * Group, KeyBlocks, ValueBlocks);
        if (!Prepare(firstRow, kvHead, memory)) return false;

        int first = int.MaxValue, end = 0;
        for (int row = firstRow; row < endRow; row++)
        {
            if (Start(row, part) >= End(row, part)) continue;
            first = Math.Min(first, Start(row, part));
            end = Math.Max(end, End(row, part));
        }

        var scores = PanelKernels.Scores(cache.KeyFormat);
        var sums = PanelKernels.Sums(cache.ValueFormat);
        int sequence = arguments.Sequences[firstRow];
        for (int position = first, next; position < end; position = next)
        {
            next = Math.Min(end, (position / PagedCache.PageLength * PagedCache.PageLength) + PagedCache.PageLength);
            byte* values = cache.Value(sequence, position, kvHead);
            if (!scores(cache.Key(sequence, position, kvHead), KeyBlocks, next - position, memory, new Upcoming(values, (next - position) * cache.ValueBytes))) return false;
            for (int query = 0; query < memory.Scores.Count; query++)
            {
                int row = firstRow + (query / Group);
                RowSoftmax.Weigh(
                    memory.Scores[query], Math.Max(0, Start(row, part) - position), Math.Min(next, End(row, part)) - position, arguments.SoftCap,
                    ref memory.Max[query], ref memory.Sum[query], memory.Output[query], cache.ValueSize);
            }

            var upcoming = next < end ? new Upcoming(cache.Key(sequence, next, kvHead), Math.Min(PagedCache.PageLength, end - next) * cache.KeyBytes) : default;
            if (!sums(values, ValueBlocks, next - position, memory, upcoming)) return false;
        }

        for (int query = 0; query < memory.Output.Count; query++)
            AttentionPart.Store(arguments, split, workspace, firstRow + (query / Group), (kvHead * Group) + (query % Group), part, memory.Max[query], memory.Sum[query], memory.Output[query]);
        return true;
    }

    private bool Prepare(int firstRow, int kvHead, in PanelMemory memory)
    {
        var prepare = PanelKernels.Prepare(arguments.Cache.KeyFormat);
        int size = arguments.Cache.KeySize;
        for (int query = 0; query < memory.Queries.Count; query++)
        {
            float* values = arguments.Query + (((((long)firstRow + (query / Group)) * arguments.Heads) + (kvHead * Group) + (query % Group)) * size);
            if (arguments.Cache.KeyFormat.BlockLength > 1 && !IsModest(values, size)) return false;
            prepare(values, arguments.Scale, KeyBlocks, memory.Queries[query], memory.QueryScales[query]);
        }

        return true;
    }

    private static bool IsModest(float* values, int count)
    {
        var within = Vector256<float>.AllBitsSet;
        for (int i = 0; i < count; i += Vector256<float>.Count) within &= Vector256.LessThan(Vector256.Abs(Vector256.Load(values + i)), Vector256.Create(LargestQuery));
        return Vector256.EqualsAll(within.AsInt32(), Vector256<int>.AllBitsSet);
    }

    private int Start(int row, int part) => Math.Max(arguments.Start(row), split.Start(part));

    private int End(int row, int part) => Math.Min(arguments.End[row], split.End(part));
}
