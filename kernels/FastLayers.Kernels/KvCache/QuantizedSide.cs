namespace FastLayers.Kernels.KvCache;

/// <summary>The keys, or the values, of a <see cref="QuantizedCache"/>.</summary>
/// <param name="pages">Page 0.</param>
/// <param name="layout">How pages are laid out.</param>
/// <param name="tail">The tails of the sequences.</param>
/// <param name="cache">What keys and values share.</param>
internal readonly unsafe struct QuantizedSide(byte* pages, QuantizedPageLayout layout, float* tail, in QuantizedCache cache)
{
    private const int TokensPerGroup = QuantizedPageLayout.TokensPerGroup;

    private readonly int* _pageTable = cache.PageTable;
    private readonly int* _lengths = cache.Lengths;
    private readonly int _pagesPerSequence = cache.PagesPerSequence;

    public QuantizedPageLayout Layout => layout;

    public bool HasTail => layout.TailTokens != 0;

    /// <summary>Positions of a sequence from here on lie in the tail.</summary>
    public int PackedEnd(int sequence) => HasTail ? _lengths[sequence] / TokensPerGroup * TokensPerGroup : int.MaxValue;

    /// <summary>Whether a token is the last of its group.</summary>
    public static bool CompletesGroup(int position) => position % TokensPerGroup == TokensPerGroup - 1;

    /// <summary>One head in the page of a token.</summary>
    public byte* Head(int sequence, int position, int head)
    {
        int page = _pageTable[((long)sequence * _pagesPerSequence) + (position / PagedCache.PageLength)];
        return pages + ((((long)page * layout.Heads) + head) * layout.HeadBytes);
    }

    /// <summary>One head in the page of a token, where scales are per channel: the block of its group.</summary>
    public uint* Block(int sequence, int position, int head) =>
        (uint*)Head(sequence, position, head) + (position % PagedCache.PageLength / TokensPerGroup * layout.BlockWords);

    /// <summary>Where one head of a token lies while its group is incomplete.</summary>
    public float* Tail(int sequence, int position, int head) =>
        tail + ((((((long)sequence * layout.Heads) + head) * TokensPerGroup) + (position % TokensPerGroup)) * layout.Size);
}
