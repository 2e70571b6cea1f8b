using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Where the keys or values of one layer lie: pages of <see cref="PageLength"/> tokens, each holding its heads one after another as
/// [heads, PageLength, head size]. A sequence is a list of page numbers, so that sequences of different length share one memory and a
/// forked sequence shares its pages. A head of a token is a row of whole blocks of its format.
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

    /// <summary>How keys are stored: one that <see cref="CachedRow.Supports"/>.</summary>
    public required Format KeyFormat { get; init; }

    /// <summary>How values are stored; may be another than that of the keys.</summary>
    public required Format ValueFormat { get; init; }

    /// <summary>Bytes of one head of a cached key.</summary>
    public int KeyBytes => RowBytes(KeyFormat, KeySize);

    /// <summary>Bytes of one head of a cached value.</summary>
    public int ValueBytes => RowBytes(ValueFormat, ValueSize);

    /// <summary>Throws unless there are kernels for the formats, and heads are whole blocks.</summary>
    /// <exception cref="ArgumentException">There are none, or a head is no multiple of the block.</exception>
    internal void RequireFormats(string operation)
    {
        Require(operation, "keys", KeyFormat, KeySize);
        Require(operation, "values", ValueFormat, ValueSize);
    }

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
    internal byte* Key(int sequence, int position, int head) => Keys + Offset(sequence, position, head, KeyBytes);

    /// <summary>The value of one token and head.</summary>
    internal byte* Value(int sequence, int position, int head) => Values + Offset(sequence, position, head, ValueBytes);

    private static int RowBytes(Format format, int size) => size / format.BlockLength * format.BlockBytes;

    private static void Require(string operation, string role, Format format, int size)
    {
        if (!CachedRow.Supports(format))
            throw new ArgumentException($"{operation}: {role} are stored as {CachedRow.FormatNames}, not {format?.Name}.", role);
        if (size % format.BlockLength != 0)
            throw new ArgumentException($"{operation}: {format.Name} stores blocks of {format.BlockLength} values; heads of {size} {role} are no whole blocks.", role);
    }

    private long Offset(int sequence, int position, int head, int rowBytes)
    {
        int page = PageTable[((long)sequence * PagesPerSequence) + (position / PageLength)];
        return (((((long)page * Heads) + head) * PageLength) + (position % PageLength)) * rowBytes;
    }
}
