using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>What a worker keeps while queries go over the pages of their sequence: the queries, their state, and a panel of the page.</summary>
internal readonly unsafe struct PanelMemory
{
    /// <summary>Numbers a cache line, at whose multiples everything starts.</summary>
    private const int Alignment = 16;

    private PanelMemory(int* memory, int queries, int keyBlocks, int valueBlocks, out long length)
    {
        int used = 0;
        Cells = Take(PagedCache.PageLength * CachedRow.BlockLength);
        Scales = (float*)Take(Math.Max(keyBlocks, valueBlocks) * PagedCache.PageLength);
        Halves = (ushort*)Take(Math.Max(keyBlocks, valueBlocks) * PagedCache.PageLength / 2);
        Ones = (float*)Take(PagedCache.PageLength);
        Queries = new(Take(queries * keyBlocks * CachedRow.BlockLength), keyBlocks * CachedRow.BlockLength, queries);
        QueryScales = new((float*)Take(queries * keyBlocks), keyBlocks, queries);
        Scores = new((float*)Take(queries * PagedCache.PageLength), PagedCache.PageLength, queries);
        Weights = new(Take(queries * PagedCache.PageLength / 2), PagedCache.PageLength / 2, queries);
        WeightScales = new((float*)Take(queries), 1, queries);
        Max = (float*)Take(queries);
        Sum = (float*)Take(queries);
        Output = new((float*)Take(queries * valueBlocks * CachedRow.BlockLength), valueBlocks * CachedRow.BlockLength, queries);
        length = used;

        int* Take(int count)
        {
            int* taken = memory + used;
            used = checked(used + ((count + Alignment - 1) / Alignment * Alignment));
            return taken;
        }
    }

    /// <summary>The panel of one block of the page.</summary>
    public int* Cells { get; }

    /// <summary>Scales of the page, [blocks, tokens]; 0 behind the last token.</summary>
    public float* Scales { get; }

    /// <summary>The same as halves, while they are read.</summary>
    public ushort* Halves { get; }

    /// <summary>A page of ones.</summary>
    public float* Ones { get; }

    /// <summary>Queries, 32 numbers a block.</summary>
    public Rows<int> Queries { get; }

    /// <summary>Scales of the queries, one a block.</summary>
    public Rows<float> QueryScales { get; }

    /// <summary>Scores, then weights of the page.</summary>
    public Rows<float> Scores { get; }

    /// <summary>Weights of a block, rounded.</summary>
    public Rows<int> Weights { get; }

    /// <summary>The scale of the rounded weights.</summary>
    public Rows<float> WeightScales { get; }

    /// <summary>The largest score of each query so far.</summary>
    public float* Max { get; }

    /// <summary>The sum of the weights of each query so far.</summary>
    public float* Sum { get; }

    /// <summary>Sums of weighted values.</summary>
    public Rows<float> Output { get; }

    /// <summary>Numbers that a count of queries needs.</summary>
    public static long Length(int queries, int keyBlocks, int valueBlocks)
    {
        _ = new PanelMemory(null, queries, keyBlocks, valueBlocks, out long length);
        return length;
    }

    /// <summary>Lays the memory out; nothing was seen so far.</summary>
    public static PanelMemory Begin(int* memory, int queries, int keyBlocks, int valueBlocks)
    {
        var result = new PanelMemory(memory, queries, keyBlocks, valueBlocks, out _);
        new Span<float>(result.Ones, PagedCache.PageLength).Fill(1);
        new Span<float>(result.WeightScales[0], queries).Fill(1);
        new Span<float>(result.Max, queries).Fill(float.NegativeInfinity);
        new Span<float>(result.Sum, queries).Clear();
        new Span<float>(result.Output[0], queries * valueBlocks * CachedRow.BlockLength).Clear();
        return result;
    }
}
