namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Where the keys or values of one layer lie: pages of <see cref="PageLength"/> tokens, each holding its heads one after another as
/// [heads, PageLength, head size]. A sequence is a list of page numbers, so that sequences of different length share one memory and a
/// forked sequence shares its pages.
/// </summary>
public readonly unsafe struct PagedCache
{
    /// <summary>Tokens a page.</summary>
    public const int PageLength = 64;

    /// <summary>Keys of page 0.</summary>
    public required byte* Keys { get; init; }

    /// <summary>Values of page 0.</summary>
    public required byte* Values { get; init; }

    /// <summary>Page numbers, [sequences, <see cref="PagesPerSequence"/>].</summary>
    public required int* PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>Number of key/value heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Values a key head.</summary>
    public required int KeySize { get; init; }

    /// <summary>Values a value head.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Whether elements are IEEE half; else float32.</summary>
    public required bool IsHalf { get; init; }

    /// <summary>Bytes an element.</summary>
    public int ElementBytes => IsHalf ? 2 : 4;

    /// <summary>Throws unless the page table has a place for positions <paramref name="first"/> to <paramref name="end"/> (exclusive).</summary>
    /// <exception cref="ArgumentException">It has not.</exception>
    internal void Require(string operation, int row, long first, long end)
    {
        long places = (long)PagesPerSequence * PageLength;
        if (first < 0 || end > places)
        {
            throw new ArgumentException(
                $"{operation}: row {row} needs positions {first} to {end - 1}, but a sequence of {PagesPerSequence} pages has positions 0 to {places - 1}.",
                nameof(row));
        }
    }

    /// <summary>The key of one token and head.</summary>
    internal byte* Key(int sequence, int position, int head) => Keys + Offset(sequence, position, head, KeySize);

    /// <summary>The value of one token and head.</summary>
    internal byte* Value(int sequence, int position, int head) => Values + Offset(sequence, position, head, ValueSize);

    private long Offset(int sequence, int position, int head, int size)
    {
        int page = PageTable[((long)sequence * PagesPerSequence) + (position / PageLength)];
        return (((((long)page * Heads) + head) * PageLength) + (position % PageLength)) * size * ElementBytes;
    }
}
