namespace FastLayers.Kernels.Gpu.Attention;

/// <summary>
/// How attention is cut into groups of threads. A group takes a tile of queries that share a key/value head, consecutive rows and the query
/// heads of that head, so that a key that was loaded serves all of them. Where that gives too few groups for the device, as it does when
/// single tokens are decoded, the context is split, and a second kernel puts the parts together.
/// </summary>
internal readonly struct AttentionPlan
{
    /// <summary>A part of the context should repay its group and its share in the second kernel.</summary>
    private const int MinPositionsPerSplit = 128;

    /// <summary>Groups that keep a multiprocessor busy.</summary>
    private const int GroupsPerMultiprocessor = 4;

    private const int QueriesPerQuad = 4;

    private AttentionPlan(int quads, int headsPerTile, int rowsPerTile, int headTiles, int splits)
    {
        Quads = quads;
        HeadsPerTile = headsPerTile;
        RowsPerTile = rowsPerTile;
        HeadTiles = headTiles;
        Splits = splits;
    }

    /// <summary>Four times this many queries are in a tile: 1, 2 or 4.</summary>
    public int Quads { get; }

    /// <summary>Query heads of a tile.</summary>
    public int HeadsPerTile { get; }

    /// <summary>Rows of a tile.</summary>
    public int RowsPerTile { get; }

    /// <summary>Tiles that it takes for all query heads of a key/value head.</summary>
    public int HeadTiles { get; }

    /// <summary>Parts of the context.</summary>
    public int Splits { get; }

    /// <summary>Cuts the work.</summary>
    /// <param name="launcher">The device.</param>
    /// <param name="rows">Rows that attend.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="kvHeads">Key/value heads.</param>
    /// <param name="keySize">Values a key head.</param>
    /// <param name="valueSize">Values a value head.</param>
    /// <param name="rowsPerSequence">Rows in a row that belong to the same sequence: 1 when decoding, more for a prompt. A hint.</param>
    /// <param name="longestContext">Positions that a row sees at the most. A hint.</param>
    public static AttentionPlan Create(GpuLauncher launcher, int rows, int heads, int kvHeads, int keySize, int valueSize, int rowsPerSequence, int longestContext)
    {
        if (heads <= 0 || kvHeads <= 0 || heads % kvHeads != 0) throw new ArgumentException($"Attention: the number of query heads should be a multiple of the {kvHeads} key/value heads, found {heads}.");
        int largest = Padded(Math.Max(keySize, valueSize));
        if (Math.Min(keySize, valueSize) <= 0 || largest > AttentionTile.MaxHeadSize)
            throw new ArgumentException($"Attention: a head should have 1 to {AttentionTile.MaxHeadSize} values, found {keySize} a key and {valueSize} a value.");

        int perKvHead = heads / kvHeads;
        int wanted = perKvHead * Math.Max(1, Math.Min(rowsPerSequence, rows));
        int quads = 1;
        while (quads * QueriesPerQuad < wanted && quads < AttentionTile.MaxQuads && quads * 2 * largest <= AttentionTile.MaxHeadSize) quads *= 2;
        int headsPerTile = Math.Min(perKvHead, quads * QueriesPerQuad);
        int rowsPerTile = rowsPerSequence <= 1 ? 1 : Math.Min(quads * QueriesPerQuad / headsPerTile, Math.Max(1, rows));
        int headTiles = DivideUp(perKvHead, headsPerTile);

        long groups = Math.Max(1, (long)DivideUp(rows, rowsPerTile) * kvHeads * headTiles);
        long wantedSplits = (long)launcher.Accelerator.NumMultiprocessors * GroupsPerMultiprocessor / groups;
        long most = Math.Min(AttentionCombine.MaxSplits, DivideUp(longestContext, MinPositionsPerSplit));
        return new AttentionPlan(quads, headsPerTile, rowsPerTile, headTiles, (int)Math.Max(1, Math.Min(wantedSplits, most)));
    }

    /// <summary>Floats of scratch memory that the parts of the context need.</summary>
    public long ScratchLength(int rows, int heads, int valueSize) => Splits == 1 ? 0 : (long)rows * heads * Splits * AttentionCombine.PartLength(valueSize);

    public static int DivideUp(int value, int divisor) => (int)(((long)value + divisor - 1) / divisor);

    /// <summary>A head size, rounded up to whole loads of four.</summary>
    public static int Padded(int size) => (size + 3) & ~3;
}
