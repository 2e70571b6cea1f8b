namespace FastLayers.Kernels.Attention;

/// <summary>
/// How attention is cut into items that threads share: rows in tiles, which read the keys and values of a sequence together, and long contexts in
/// parts of fixed length where there are few rows. It follows from the sizes alone, so that results do not depend on the number of threads.
/// </summary>
internal readonly unsafe struct ContextSplit
{
    /// <summary>Positions a part: enough that starting one and putting its result together cost little beside it.</summary>
    public const int PartLength = 512;

    /// <summary>Items that keep the threads of a large processor busy; with as many, contexts are not cut.</summary>
    private const int EnoughItems = 64;

    /// <summary>Queries that share decoded keys and values; their sums stay in the second-level cache.</summary>
    private const int QueriesPerTile = 64;

    public ContextSplit(in AttentionArguments arguments)
    {
        int run = 0, longestRun = 0, first = int.MaxValue, end = 0;
        for (int row = 0; row < arguments.Rows; row++)
        {
            run = row > 0 && arguments.Sequences[row] == arguments.Sequences[row - 1] ? run + 1 : 1;
            longestRun = Math.Max(longestRun, run);
            if (arguments.Start(row) >= arguments.End[row]) continue;
            first = Math.Min(first, arguments.Start(row));
            end = Math.Max(end, arguments.End[row]);
        }

        RowsPerTile = Math.Clamp(QueriesPerTile / arguments.GroupSize, 1, Math.Max(1, longestRun));
        Tiles = (arguments.Rows + RowsPerTile - 1) / RowsPerTile;
        FirstPart = end == 0 ? 0 : first / PartLength;
        Parts = end == 0 || (long)Tiles * arguments.Cache.Heads >= EnoughItems ? 1 : ((end - 1) / PartLength) + 1 - FirstPart;
    }

    /// <summary>Neighboring rows of a tile.</summary>
    public int RowsPerTile { get; }

    /// <summary>Tiles of rows.</summary>
    public int Tiles { get; }

    /// <summary>The part of length <see cref="PartLength"/>, counted from position 0, that is the first.</summary>
    public int FirstPart { get; }

    /// <summary>Parts of the context; 1 where it is not cut.</summary>
    public int Parts { get; }

    /// <summary>First position of a part, where the context is cut.</summary>
    public int Start(int part) => Parts == 1 ? 0 : (FirstPart + part) * PartLength;

    /// <summary>One past the last position of a part.</summary>
    public int End(int part) => Parts == 1 ? int.MaxValue : (FirstPart + part + 1) * PartLength;
}
