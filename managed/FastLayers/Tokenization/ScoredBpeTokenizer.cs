namespace FastLayers.Tokenization;

/// <summary>
/// SentencePiece BPE (Llama 2, Mistral, Gemma): the text starts as its characters, and the neighbors whose joined text is the token of
/// highest score are joined first. Characters without a token become their UTF-8 bytes, as tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>.
/// </summary>
internal sealed class ScoredBpeTokenizer : Tokenizer
{
    private readonly TextRewrite[] _rewrites;
    private readonly int[] _rankById;
    private readonly int _longest;
    private readonly ByteFallback _bytes;

    /// <param name="vocabulary">Token texts with <see cref="TextRewrites.SpaceMark"/> for spaces.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="scores">The score of each token.</param>
    /// <param name="addsSpacePrefix">A text is read as if a space stood before it.</param>
    public ScoredBpeTokenizer(Vocabulary vocabulary, SpecialTokens special, float[] scores, bool addsSpacePrefix)
        : base(vocabulary, special, dropsLeadingSpace: addsSpacePrefix)
    {
        _rewrites = addsSpacePrefix ? [TextRewrites.Prefix(" "), TextRewrites.SpacesToMarks] : [TextRewrites.SpacesToMarks];
        vocabulary.SetBytes(PieceBytes.Decode);
        _bytes = new ByteFallback(vocabulary, special.Unknown, fuseUnknown: true);
        _rankById = Ranks(scores);
        for (var id = 0; id < vocabulary.Count; id++) _longest = Math.Max(_longest, vocabulary.Text(id).Length);
    }

    private protected override void EncodeSegment(ReadOnlySpan<char> text, bool atTextStart, List<int> ids)
    {
        var rewritten = TextRewrites.Apply(_rewrites, text.ToString(), atTextStart);
        var lookup = Vocabulary.IdsBySpan;
        var merger = new PairMerger();
        var at = 0;
        foreach (var rune in rewritten.EnumerateRunes())
        {
            var length = rune.Utf16SequenceLength;
            var id = lookup.TryGetValue(rewritten.AsSpan(at, length), out var found) && Vocabulary.IsText(found) ? found : -1;
            merger.Add(new Symbol(id, at, length));
            at += length;
        }
        merger.Merge(new TextRanks(rewritten, this));
        var firstId = ids.Count;
        for (var i = merger.First; i >= 0; i = merger.Next(i))
        {
            ref readonly var symbol = ref merger[i];
            if (symbol.Id >= 0) ids.Add(symbol.Id);
            else _bytes.Add(rewritten.AsSpan(symbol.Start, symbol.Length), firstId, ids);
        }
    }

    /// <summary>Equal scores get equal ranks, so that the leftmost of them wins.</summary>
    private static int[] Ranks(float[] scores)
    {
        var order = new int[scores.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort((float[])scores.Clone(), order);
        var ranks = new int[scores.Length];
        var rank = 0;
        for (var i = order.Length - 1; i >= 0; i--)
        {
            if (i < order.Length - 1 && scores[order[i]] != scores[order[i + 1]]) rank++;
            ranks[order[i]] = rank;
        }
        return ranks;
    }

    private readonly struct TextRanks(string text, ScoredBpeTokenizer tokenizer) : IPairRanks
    {
        private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids = tokenizer.Vocabulary.IdsBySpan;

        public bool TryRank(in Symbol left, in Symbol right, out int rank, out int mergedId)
        {
            (rank, mergedId) = (0, 0);
            var length = left.Length + right.Length;
            if (length > tokenizer._longest || !_ids.TryGetValue(text.AsSpan(left.Start, length), out mergedId)
                || !tokenizer.Vocabulary.IsText(mergedId)) return false;
            rank = tokenizer._rankById[mergedId];
            return true;
        }
    }
}
