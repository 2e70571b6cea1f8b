namespace FastLayers.Tokenization;

/// <summary>Says how early two neighbouring symbols are merged, and into what.</summary>
internal interface IMergeRule
{
    /// <summary>Whether the text of two neighbours is one symbol; the lowest rank is merged first.</summary>
    bool TryMerge(ReadOnlySpan<char> text, Symbol left, Symbol right, out double rank, out int id);
}

/// <summary>A stretch of text that is one symbol so far.</summary>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="Length">Number of units.</param>
/// <param name="Id">Token, or −1 where the stretch is no token.</param>
internal readonly record struct Symbol(int Start, int Length, int Id);

/// <summary>
/// Byte-pair encoding: merges the best pair of neighbours, the leftmost among equals, until none is left. A heap of candidate pairs and a
/// linked list of symbols make it n log n in the length of the text.
/// </summary>
internal static class PairMerger
{
    /// <summary>Merges symbols in place.</summary>
    /// <param name="text">The text that the symbols are stretches of, in order and without gaps.</param>
    /// <param name="symbols">On return the merged symbols.</param>
    /// <param name="rule">The merges.</param>
    public static void Merge<TRule>(ReadOnlySpan<char> text, List<Symbol> symbols, TRule rule)
        where TRule : struct, IMergeRule
    {
        int count = symbols.Count;
        if (count < 2) return;
        var next = new int[count];
        var previous = new int[count];
        var heap = new PriorityQueue<(int Left, int Right, int Length, int Id), (double Rank, int Left)>();
        for (int i = 0; i < count; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1 < count ? i + 1 : -1;
            if (i + 1 < count) Enqueue(text, symbols, i, i + 1, rule, heap);
        }

        while (heap.TryDequeue(out var pair, out _))
        {
            var (left, right, length, id) = pair;
            // Outdated if either side was merged since.
            if (symbols[left].Length == 0 || symbols[right].Length == 0 || next[left] != right || symbols[left].Length + symbols[right].Length != length) continue;
            symbols[left] = new Symbol(symbols[left].Start, length, id);
            symbols[right] = default;
            next[left] = next[right];
            if (next[left] >= 0)
            {
                previous[next[left]] = left;
                Enqueue(text, symbols, left, next[left], rule, heap);
            }

            if (previous[left] >= 0) Enqueue(text, symbols, previous[left], left, rule, heap);
        }

        symbols.RemoveAll(s => s.Length == 0);
    }

    private static void Enqueue<TRule>(ReadOnlySpan<char> text, List<Symbol> symbols, int left, int right, TRule rule, PriorityQueue<(int, int, int, int), (double, int)> heap)
        where TRule : struct, IMergeRule
    {
        if (rule.TryMerge(text, symbols[left], symbols[right], out double rank, out int id))
            heap.Enqueue((left, right, symbols[left].Length + symbols[right].Length, id), (rank, left));
    }
}
