using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Query heads of one row that go over the pages together, and what is kept of them between pages.</summary>
internal readonly unsafe struct HeadTile(int row, int head, int used, int queries, int paddedKey, int paddedValue, float* memory)
{
    /// <summary>The row.</summary>
    public int Row => row;

    /// <summary>The first query head.</summary>
    public int Head => head;

    /// <summary>Query heads.</summary>
    public int Used => used;

    /// <summary>Query heads with those of zeros behind them.</summary>
    public int Queries => queries;

    /// <summary>Scores, then weights of a page, [tokens, queries].</summary>
    public float* Scores => memory;

    /// <summary>The largest score of each query.</summary>
    public float* Max => Scores + (PagedCache.PageLength * queries);

    /// <summary>The sum of the weights of each query.</summary>
    public float* Sum => Max + queries;

    /// <summary>Interleaved queries.</summary>
    public float* Query => Sum + queries;

    /// <summary>Sums of weighted values, [queries, padded value].</summary>
    public float* Output => Query + ((long)queries * paddedKey);

    /// <summary>Floats a query.</summary>
    public static int LengthPerQuery(int paddedKey, int paddedValue) => PagedCache.PageLength + 2 + paddedKey + paddedValue;

    /// <summary>Nothing seen so far.</summary>
    public void Begin(in AttentionArguments arguments, int lanes)
    {
        new Span<float>(Max, queries).Fill(float.NegativeInfinity);
        new Span<float>(Sum, queries).Clear();
        new Span<float>(Output, queries * paddedValue).Clear();
        float* source = arguments.Query + ((((long)row * arguments.Heads) + head) * arguments.Cache.KeySize);
        InterleavedQueries.Write(source, used, queries, lanes, arguments.Cache.KeySize, arguments.Scale, Query);
    }
}
