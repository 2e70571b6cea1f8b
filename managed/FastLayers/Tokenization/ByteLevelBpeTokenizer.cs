namespace FastLayers.Tokenization;

/// <summary>Byte-level byte-pair encoding (GPT-2, Radford et al. 2019): words are spelled in bytes, and bytes merged by the rank of their pair.</summary>
internal sealed class ByteLevelBpeTokenizer : Tokenizer
{
    private readonly PreTokenizer _preTokenizer;
    private readonly int _unknown = -1;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges;

    /// <summary>Creates a tokenizer.</summary>
    /// <exception cref="InvalidDataException">A merge is no pair of pieces, or what it makes is no piece.</exception>
    public ByteLevelBpeTokenizer(Vocabulary vocabulary, SpecialTokens special, IReadOnlyList<string> merges, PreTokenizer preTokenizer)
        : base(vocabulary, special)
    {
        _preTokenizer = preTokenizer;
        if (!ByteLevel.Characters.All(c => vocabulary.TryGetId([c], out _))) _unknown = RequireUnknown(vocabulary, special, "a piece for each byte");
        _merges = new Dictionary<(int, int), (int, int)>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            // The pieces may hold a space only as its spelling, so the first space parts them.
            int space = merges[rank].Length < 3 ? -1 : merges[rank].IndexOf(' ', 1);
            if (space < 0) throw new InvalidDataException($"{vocabulary.Source}: merge {rank} should be two pieces, found '{merges[rank]}'.");
            string left = merges[rank][..space];
            string right = merges[rank][(space + 1)..];
            if (!vocabulary.TryGetId(left, out int leftId) || !vocabulary.TryGetId(right, out int rightId) || !vocabulary.TryGetId(left + right, out int id))
                throw new InvalidDataException($"{vocabulary.Source}: merge {rank} '{merges[rank]}' names a piece that the vocabulary lacks.");
            _merges.TryAdd((leftId, rightId), (rank, id));
        }
    }

    private protected override void EncodeText(string text, List<int> ids, bool isFirst)
    {
        var symbols = new List<Symbol>();
        foreach (var range in _preTokenizer.Split(text))
        {
            string word = ByteLevel.Spell(text.AsSpan()[range]);
            if (_preTokenizer.TakesWholeWords && Vocabulary.TryGetId(word, out int whole))
            {
                ids.Add(whole);
                continue;
            }

            symbols.Clear();
            for (int i = 0; i < word.Length; i++) symbols.Add(new Symbol(i, 1, Vocabulary.TryGetId(word.AsSpan(i, 1), out int id) ? id : -1));
            PairMerger.Merge(word, symbols, new RankRule(_merges));
            foreach (var symbol in symbols)
                ids.Add(symbol.Id >= 0 ? symbol.Id : _unknown);
        }
    }

    private protected override byte[] PieceBytes(string piece) => ByteLevel.Bytes(piece);

    private readonly struct RankRule(Dictionary<(int Left, int Right), (int Rank, int Id)> merges) : IMergeRule
    {
        public bool TryMerge(ReadOnlySpan<char> text, Symbol left, Symbol right, out double rank, out int id)
        {
            bool found = merges.TryGetValue((left.Id, right.Id), out var merge);
            (rank, id) = merge;
            return found;
        }
    }
}
