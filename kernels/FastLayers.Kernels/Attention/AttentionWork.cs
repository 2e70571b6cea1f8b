using System.Numerics;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// The items of <see cref="AttentionSimd"/>. With AVX2, neighboring rows of one sequence, and all rows of packed keys or values, go over panels: see
/// <see cref="PanelRows"/>. Else neighboring rows read floats: keys, then values of a page are decoded once, into memory that stays in the first-level cache,
/// and gone over head by head; a row by itself reads the pages in place, for up to eight query heads together. Heads that are no whole blocks are decoded
/// always, with zeros behind them.
/// </summary>
internal readonly unsafe struct AttentionWork<TLanes>(WorkerPool pool, AttentionArguments arguments, ContextSplit split, float* workspace) : IParallelWork
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>Query heads that read a page in place together, at most.</summary>
    private const int LargestTile = 8;

    private int Group => arguments.GroupSize;

    private int PaddedKey => CachedRow.Padded(arguments.Cache.KeySize);

    private int PaddedValue => CachedRow.Padded(arguments.Cache.ValueSize);

    private bool HasWholeBlocks => PaddedKey == arguments.Cache.KeySize && PaddedValue == arguments.Cache.ValueSize;

    private bool HasPanels => PanelKernels.AreSupported && TLanes.Count >= Lanes256.Count && HasWholeBlocks && !(HasCodes && arguments.Exact);

    private bool HasCodes => arguments.Cache.KeyFormat.BlockLength > 1 || arguments.Cache.ValueFormat.BlockLength > 1;

    public void Execute(int start, int end, int worker)
    {
        // Decoded tokens of a page, then for each query what a tile points to.
        int decoded = PagedCache.PageLength * Math.Max(PaddedKey, PaddedValue);
        int queries = Math.Max(split.RowsPerTile * Group, (int)BitOperations.RoundUpToPowerOf2((uint)Group) + LargestTile);
        var panels = new PanelRows(arguments, split, workspace);
        long length = decoded + ((long)queries * HeadTile.LengthPerQuery(PaddedKey, PaddedValue));
        float* memory = (float*)pool.Scratch(worker, Math.Max(length, HasPanels ? panels.MemoryLength : 0) * sizeof(float));
        for (int item = start; item < end; item++)
        {
            int part = item % split.Parts;
            int kvHead = item / split.Parts / split.Tiles;
            int tile = item / split.Parts % split.Tiles;

            // Later rows see more; taken from both ends in turn, every thread gets as much.
            tile = tile % 2 == 0 ? tile / 2 : split.Tiles - 1 - (tile / 2);
            int row = tile * split.RowsPerTile, lastRow = Math.Min(row + split.RowsPerTile, arguments.Rows);
            for (int next; row < lastRow; row = next)
            {
                next = row + 1;
                while (next < lastRow && arguments.Sequences[next] == arguments.Sequences[row]) next++;

                // A row by itself reads floats as fast in place.
                if (HasPanels && (HasCodes || next - row > 1) && panels.TryAttend(row, next, kvHead, part, (int*)memory)) continue;
                Rows(row, next, kvHead, part, shared: next - row > 1 || !HasWholeBlocks, memory, memory + decoded);
            }
        }
    }

    /// <summary>Rows of one sequence.</summary>
    private void Rows(int firstRow, int endRow, int kvHead, int part, bool shared, float* decoded, float* memory)
    {
        var layout = new HeadTiles(arguments, firstRow, kvHead * Group, shared ? 1 : LargestTile, memory);
        int tiles = layout.Count(endRow - firstRow);
        int first = int.MaxValue, end = 0;
        for (int row = firstRow; row < endRow; row++)
        {
            if (Start(row, part) >= End(row, part)) continue;
            first = Math.Min(first, Start(row, part));
            end = Math.Max(end, End(row, part));
        }

        for (int t = 0; t < tiles; t++) layout[t].Begin(arguments, TLanes.Count);
        var cache = arguments.Cache;
        int sequence = arguments.Sequences[firstRow];
        for (int position = first; position < end;)
        {
            int next = Math.Min(end, (position / PagedCache.PageLength * PagedCache.PageLength) + PagedCache.PageLength);
            byte* keys = cache.Key(sequence, position, kvHead);
            var format = cache.KeyFormat;
            if (shared) keys = Floats(ref format, keys, cache.KeySize, next - position, decoded);
            bool finite = IsFinite(format, keys, next - position, PaddedKey);
            int stride = (int)format.RowBytes(PaddedKey);
            for (int t = 0; t < tiles; t++)
            {
                var tile = layout[t];
                int from = Math.Max(position, Start(tile.Row, part)), count = Math.Min(next, End(tile.Row, part)) - from;
                if (count <= 0) continue;
                PageKernels<TLanes>.Scores(format, tile.Queries, finite)(tile.Query, keys + ((long)(from - position) * stride), PaddedKey / CachedRow.BlockLength, count, tile.Scores);
                TileSoftmax.Weigh(tile.Scores, count, tile.Queries, arguments.SoftCap, tile.Max, tile.Sum, tile.Output, PaddedValue);
            }

            byte* values = cache.Value(sequence, position, kvHead);
            format = cache.ValueFormat;
            if (shared) values = Floats(ref format, values, cache.ValueSize, next - position, decoded);
            finite = IsFinite(format, values, next - position, PaddedValue);
            stride = (int)format.RowBytes(PaddedValue);
            for (int t = 0; t < tiles; t++)
            {
                var tile = layout[t];
                int from = Math.Max(position, Start(tile.Row, part)), count = Math.Min(next, End(tile.Row, part)) - from;
                if (count > 0) PageKernels<TLanes>.Sums(format, tile.Queries, finite)(tile.Scores, values + ((long)(from - position) * stride), PaddedValue / CachedRow.BlockLength, count, tile.Output);
            }

            position = next;
        }

        for (int t = 0; t < tiles; t++) Finish(layout[t], part);
    }

    /// <summary>Keys or values of a page as rows of floats with zeros up to whole blocks: in place if that is how they lie, else decoded.</summary>
    private static byte* Floats(ref Format format, byte* rows, int size, int count, float* decoded)
    {
        var stored = format;
        format = Format.F32;
        int padded = CachedRow.Padded(size);
        if (padded == size)
        {
            if (stored == Format.F32) return rows;
            CachedRow.Load(stored, rows, decoded, count * size);
            return (byte*)decoded;
        }

        long stride = stored.RowBytes(size);
        for (int token = 0; token < count; token++)
        {
            float* row = decoded + ((long)token * padded);
            CachedRow.Load(stored, rows + (token * stride), row, size);
            new Span<float>(row + size, padded - size).Clear();
        }

        return (byte*)decoded;
    }

    /// <summary>Whether no half of the rows is infinite or NaN: a pass in the order of memory, which also fetches the page.</summary>
    private static bool IsFinite(Format format, byte* rows, int count, int size)
    {
        if (format != Format.F16) return true;
        var exponent = Vector256.Create((ushort)0x7C00);
        var found = Vector256<ushort>.Zero;
        var halves = (ushort*)rows;
        for (long i = 0; i < (long)count * size; i += CachedRow.BlockLength)
        {
            found |= Vector256.Equals(Vector256.Load(halves + i) & exponent, exponent);
            found |= Vector256.Equals(Vector256.Load(halves + i + 16) & exponent, exponent);
        }

        return found == default;
    }

    private void Finish(in HeadTile tile, int part)
    {
        for (int query = 0; query < tile.Used; query++)
            AttentionPart.Store(arguments, split, workspace, tile.Row, tile.Head + query, part, tile.Max[query], tile.Sum[query], tile.Output + ((long)query * PaddedValue));
    }

    private int Start(int row, int part) => Math.Max(arguments.Start(row), split.Start(part));

    private int End(int row, int part) => Math.Min(arguments.End[row], split.End(part));
}
