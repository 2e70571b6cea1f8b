namespace FastLayers.Kernels.KvCache;

/// <summary>
/// A <see cref="PagedCache"/> whose keys and values have 2, 4, 8 or 16 bits each, see <see cref="QuantizedPageLayout"/>. Pages are only
/// appended to: what is packed never changes. Where scales of keys are per channel (KIVI, arXiv 2402.02750), a group of 32 tokens can only be packed
/// when it is full; until then its keys lie as floats in <see cref="Tail"/>, which keeps the last 32 keys of a sequence: it can be shortened to any
/// length whose group starts among these.
/// </summary>
public readonly unsafe struct QuantizedCache
{
    /// <summary>Keys of page 0.</summary>
    public required byte* Keys { get; init; }

    /// <summary>Values of page 0.</summary>
    public required byte* Values { get; init; }

    /// <summary>Layout of the keys.</summary>
    public required QuantizedPageLayout KeyLayout { get; init; }

    /// <summary>Layout of the values: per token.</summary>
    public required QuantizedPageLayout ValueLayout { get; init; }

    /// <summary>Page numbers, [sequences, <see cref="PagesPerSequence"/>].</summary>
    public required int* PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>The last keys of each sequence, that of position p at p mod 32, [sequences, heads, 32, key size]; null where scales are per token.</summary>
    public float* Tail { get; init; }

    /// <summary>Tokens that each sequence holds, which tells attention how many of its keys are packed; null where scales are per token.</summary>
    public int* Lengths { get; init; }

    /// <summary>Number of key/value heads.</summary>
    public int Heads => KeyLayout.Heads;

    /// <summary>Whether keys can lie in <see cref="Tail"/>.</summary>
    public bool HasTail => KeyLayout.ChannelScales != 0;

    /// <summary>Bytes of <see cref="Tail"/> a sequence.</summary>
    public long TailBytes => HasTail ? (long)Heads * QuantizedPageLayout.TokensPerGroup * KeyLayout.Size * sizeof(float) : 0;

    /// <summary>Positions of a sequence from here on lie in the tail.</summary>
    internal int PackedEnd(int sequence) =>
        HasTail ? Lengths[sequence] / QuantizedPageLayout.TokensPerGroup * QuantizedPageLayout.TokensPerGroup : int.MaxValue;

    /// <summary>One head of the keys in the page of a token.</summary>
    internal byte* KeyHead(int sequence, int position, int head) => Keys + Offset(KeyLayout, sequence, position, head);

    /// <summary>One head of the values in the page of a token.</summary>
    internal byte* ValueHead(int sequence, int position, int head) => Values + Offset(ValueLayout, sequence, position, head);

    /// <summary>Where a key lies while its group is incomplete.</summary>
    internal float* TailKey(int sequence, int position, int head) =>
        Tail + ((((((long)sequence * Heads) + head) * QuantizedPageLayout.TokensPerGroup) + (position % QuantizedPageLayout.TokensPerGroup)) * KeyLayout.Size);

    private long Offset(in QuantizedPageLayout layout, int sequence, int position, int head)
    {
        int page = PageTable[((long)sequence * PagesPerSequence) + (position / PagedCache.PageLength)];
        return (((long)page * Heads) + head) * layout.HeadBytes;
    }
}
