using System.Numerics;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>The tiles of the query heads of neighboring rows that share a key/value head, in the memory that keeps their state.</summary>
internal readonly unsafe struct HeadTiles(in AttentionArguments arguments, int firstRow, int firstHead, int headsPerTile, float* memory)
{
    private readonly int _group = arguments.GroupSize;
    private readonly int _paddedKey = CachedRow.Padded(arguments.Cache.KeySize);
    private readonly int _paddedValue = CachedRow.Padded(arguments.Cache.ValueSize);

    private int TilesPerRow => (_group + headsPerTile - 1) / headsPerTile;

    /// <summary>A tile.</summary>
    public HeadTile this[int tile]
    {
        get
        {
            int head = tile % TilesPerRow * headsPerTile;
            int used = Math.Min(headsPerTile, _group - head);
            return new HeadTile(
                firstRow + (tile / TilesPerRow), firstHead + head, used, (int)BitOperations.RoundUpToPowerOf2((uint)used), _paddedKey, _paddedValue,
                memory + ((long)tile * headsPerTile * HeadTile.LengthPerQuery(_paddedKey, _paddedValue)));
        }
    }

    /// <summary>Tiles of a number of rows.</summary>
    public int Count(int rows) => rows * TilesPerRow;
}
