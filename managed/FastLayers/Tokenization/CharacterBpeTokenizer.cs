namespace FastLayers.Tokenization;

/// <summary>
/// BPE over characters with a merge list, as <c>tokenizer.json</c> files write SentencePiece BPE: the text starts as its characters, those
/// without a token as bytes <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, and the merge that comes first in the list is applied first.
/// </summary>
internal sealed class CharacterBpeTokenizer : Tokenizer
{
    private readonly PairRanks _merges;
    private readonly TextRewrite[] _rewrites;
    private readonly bool _cutsBeforeSpaces;
    private readonly ByteFallback _fallback;

    /// <param name="vocabulary">Token texts with <see cref="TextRewrites.SpaceMark"/> for spaces.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="merges">The merge list.</param>
    /// <param name="rewrites">Normalization and the writing of spaces.</param>
    /// <param name="cutsBeforeSpaces">No token reaches over the start of a word.</param>
    /// <param name="dropsLeadingSpace">The rewrites put a space before the text.</param>
    /// <param name="fuseUnknown">Unknown characters in a row become one unknown token.</param>
    public CharacterBpeTokenizer(
        Vocabulary vocabulary, SpecialTokens special, PairRanks merges, TextRewrite[] rewrites, bool cutsBeforeSpaces, bool dropsLeadingSpace, bool fuseUnknown)
        : base(vocabulary, special, dropsLeadingSpace)
    {
        _merges = merges;
        _rewrites = rewrites;
        _cutsBeforeSpaces = cutsBeforeSpaces;
        vocabulary.SetBytes(PieceBytes.Decode);
        _fallback = new ByteFallback(vocabulary, special.Unknown, fuseUnknown);
    }

    private protected override void EncodeSegment(ReadOnlySpan<char> text, bool atTextStart, List<int> ids)
    {
        var rewritten = TextRewrites.Apply(_rewrites, text.ToString(), atTextStart);
        var merger = new PairMerger();
        var symbols = new List<int>();
        var start = 0;
        while (start < rewritten.Length)
        {
            var end = _cutsBeforeSpaces ? rewritten.IndexOf(TextRewrites.SpaceMark, start + 1) : -1;
            if (end < 0) end = rewritten.Length;
            EncodePart(rewritten.AsSpan(start, end - start), merger, symbols, ids);
            start = end;
        }
    }

    private void EncodePart(ReadOnlySpan<char> text, PairMerger merger, List<int> symbols, List<int> ids)
    {
        symbols.Clear();
        foreach (var rune in text.EnumerateRunes())
        {
            var character = text[..rune.Utf16SequenceLength];
            text = text[rune.Utf16SequenceLength..];
            if (Vocabulary.IdsBySpan.TryGetValue(character, out var id) && Vocabulary.IsText(id)) symbols.Add(id);
            else _fallback.Add(character, 0, symbols);
        }
        merger.Clear();
        for (var i = 0; i < symbols.Count; i++) merger.Add(new Symbol(symbols[i], i, 1));
        merger.Merge(_merges);
        for (var i = merger.First; i >= 0; i = merger.Next(i)) ids.Add(merger[i].Id);
    }
}
