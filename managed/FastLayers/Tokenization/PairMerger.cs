namespace FastLayers.Tokenization;

/// <summary>A stretch [Start, Start + Length) of the text being merged, and its token id (-1: no token of its own).</summary>
internal record struct Symbol(int Id, int Start, int Length)
{
    internal int Previous { get; set; }
    internal int Next { get; set; }
}

/// <summary>Says which neighbors may be joined: the lowest rank is joined first.</summary>
internal interface IPairRanks
{
    bool TryRank(in Symbol left, in Symbol right, out int rank, out int mergedId);
}

/// <summary>
/// Byte-pair encoding: joins the adjacent pair of lowest rank, the leftmost of equals, until none can be joined. The symbols form a
/// linked list and the candidates a heap, so n symbols take O(n log n). One instance serves one thread; its memory is reused.
/// </summary>
internal sealed class PairMerger
{
    private readonly MinHeap _candidates = new(); // rank in the high half, position of the left symbol in the low half
    private Symbol[] _symbols = new Symbol[64];
    private int _count;

    public void Clear() => _count = 0;

    /// <summary>Appends a symbol to the text to merge.</summary>
    public void Add(Symbol symbol)
    {
        if (_count == _symbols.Length) Array.Resize(ref _symbols, 2 * _count);
        symbol.Previous = _count - 1;
        symbol.Next = _count + 1;
        _symbols[_count++] = symbol;
    }

    /// <summary>Merges all symbols added since <see cref="Clear"/>; the result is read with <see cref="First"/> and <see cref="Next"/>.</summary>
    public void Merge<TRanks>(TRanks ranks)
        where TRanks : struct, IPairRanks
    {
        _candidates.Clear();
        for (var i = 1; i < _count; i++) Enqueue(ranks, i - 1);
        while (_candidates.TryRemove(out var candidate))
        {
            var position = (int)(uint)candidate;
            ref var left = ref _symbols[position];
            // A candidate is stale if its symbol is gone or has another neighbor; the pair that is there now has a candidate of its own.
            if (left.Length == 0 || left.Next >= _count) continue;
            ref var right = ref _symbols[left.Next];
            if (!ranks.TryRank(left, right, out var rank, out var mergedId) || rank != (int)(candidate >> 32)) continue;
            left.Id = mergedId;
            left.Length += right.Length;
            left.Next = right.Next;
            right.Length = 0;
            if (left.Next < _count) _symbols[left.Next].Previous = position;
            if (left.Previous >= 0) Enqueue(ranks, left.Previous);
            if (left.Next < _count) Enqueue(ranks, position);
        }
    }

    /// <summary>The position of the first symbol; symbols follow each other by <see cref="Next"/> until -1.</summary>
    public int First => _count > 0 ? 0 : -1;

    public int Next(int position) => _symbols[position].Next < _count ? _symbols[position].Next : -1;

    public ref readonly Symbol this[int position] => ref _symbols[position];

    private void Enqueue<TRanks>(TRanks ranks, int left)
        where TRanks : struct, IPairRanks
    {
        ref readonly var symbol = ref _symbols[left];
        if (ranks.TryRank(symbol, _symbols[symbol.Next], out var rank, out _)) _candidates.Add((long)rank << 32 | (uint)left);
    }
}
