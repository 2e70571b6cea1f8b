namespace FastLayers.Tokenization;

/// <summary>
/// Unigram (T5, XLM-R, ALBERT, Universal Sentence Encoder): of all ways to cut the text into pieces, the one with the highest sum of
/// scores (Viterbi), the longest piece first among equals. Characters without a piece become bytes or the unknown token.
/// </summary>
internal sealed class UnigramTokenizer : Tokenizer
{
    /// <summary>How much worse than the worst piece an unknown character is; SentencePiece's constant.</summary>
    private const float UnknownPenalty = 10;

    private readonly CharTrie _pieces = new();
    private readonly float[] _scores;
    private readonly float _unknownScore;
    private readonly TextRewrite[] _rewrites;
    private readonly bool _cutsBeforeSpaces;
    private readonly ByteFallback _fallback;

    /// <param name="vocabulary">Token texts with <see cref="TextRewrites.SpaceMark"/> for spaces.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="scores">The log probability of each piece.</param>
    /// <param name="rewrites">Normalization and the writing of spaces.</param>
    /// <param name="cutsBeforeSpaces">No piece reaches over the start of a word.</param>
    /// <param name="dropsLeadingSpace">The rewrites put a space before the text.</param>
    public UnigramTokenizer(
        Vocabulary vocabulary, SpecialTokens special, float[] scores, TextRewrite[] rewrites, bool cutsBeforeSpaces, bool dropsLeadingSpace)
        : base(vocabulary, special, dropsLeadingSpace)
    {
        _scores = scores;
        _rewrites = rewrites;
        _cutsBeforeSpaces = cutsBeforeSpaces;
        vocabulary.SetBytes(PieceBytes.Decode);
        _fallback = new ByteFallback(vocabulary, special.Unknown, fuseUnknown: true);
        var worst = 0f;
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (!vocabulary.IsText(id) || vocabulary.Text(id).Length == 0) continue;
            if (vocabulary.FindId(vocabulary.Text(id)) == id) _pieces.Add(vocabulary.Text(id), id);
            worst = Math.Min(worst, scores[id]);
        }
        _unknownScore = worst - UnknownPenalty;
    }

    private protected override void EncodeSegment(ReadOnlySpan<char> text, bool atTextStart, List<int> ids)
    {
        var rewritten = TextRewrites.Apply(_rewrites, text.ToString(), atTextStart);
        var lattice = new Lattice();
        var firstId = ids.Count;
        var start = 0;
        while (start < rewritten.Length)
        {
            var end = _cutsBeforeSpaces ? rewritten.IndexOf(TextRewrites.SpaceMark, start + 1) : -1;
            if (end < 0) end = rewritten.Length;
            EncodePart(rewritten.AsSpan(start, end - start), lattice, firstId, ids);
            start = end;
        }
    }

    private void EncodePart(ReadOnlySpan<char> text, Lattice lattice, int firstId, List<int> ids)
    {
        lattice.Reset(text.Length);
        for (var start = 0; start < text.Length;)
        {
            var characterEnd = start + (char.IsHighSurrogate(text[start]) ? 2 : 1);
            var known = false;
            var node = CharTrie.Root;
            for (var end = start; end < text.Length && _pieces.TryStep(node, text[end], out node); end++)
            {
                if (!_pieces.TryGetValue(node, out var id)) continue;
                lattice.Offer(start, end + 1, id, _scores[id]);
                known |= end + 1 == characterEnd;
            }
            if (!known) lattice.Offer(start, characterEnd, -1, _unknownScore);
            start = characterEnd;
        }
        foreach (var (start, end, id) in lattice.BestPath())
        {
            if (id >= 0) ids.Add(id);
            else _fallback.Add(text[start..end], firstId, ids);
        }
    }

    /// <summary>The best way to reach each place of a text.</summary>
    private sealed class Lattice
    {
        private readonly List<(int Start, int End, int Id)> _path = [];
        private double[] _best = [];
        private int[] _starts = [];
        private int[] _ids = [];
        private int _length;

        public void Reset(int length)
        {
            _length = length;
            if (_best.Length <= length)
            {
                _best = new double[length + 1];
                _starts = new int[length + 1];
                _ids = new int[length + 1];
            }
            _best.AsSpan(0, length + 1).Fill(double.NegativeInfinity);
            _best[0] = 0;
        }

        public void Offer(int start, int end, int id, float score)
        {
            var total = _best[start] + score;
            if (total <= _best[end]) return;
            (_best[end], _starts[end], _ids[end]) = (total, start, id);
        }

        public List<(int Start, int End, int Id)> BestPath()
        {
            _path.Clear();
            for (var end = _length; end > 0; end = _starts[end]) _path.Add((_starts[end], end, _ids[end]));
            _path.Reverse();
            return _path;
        }
    }
}
