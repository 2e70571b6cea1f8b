using System.Text;

namespace FastLayers.Tokenization;

/// <summary>
/// SentencePiece byte-pair encoding (Kudo and Richardson, arXiv:1808.06226): characters are merged by descending score of the piece that they
/// form, spaces are written ▁, and a character without a piece becomes its UTF-8 bytes.
/// </summary>
internal sealed class SentencePieceBpeTokenizer(Vocabulary vocabulary, SpecialTokens special, bool addsSpacePrefix) : Tokenizer(vocabulary, special)
{
    internal const char Space = '\u2581';
    private readonly int[]? _byteIds = vocabulary.ByteIds();
    private readonly int _unknown = vocabulary.ByteIds() is null ? RequireUnknown(vocabulary, special, "the 256 byte pieces") : -1;

    private protected override bool AddsSpacePrefix => addsSpacePrefix;

    private protected override void EncodeText(string text, List<int> ids, bool isFirst)
    {
        text = text.Replace(' ', Space);
        if (addsSpacePrefix && isFirst) text = Space + text;
        var symbols = new List<Symbol>(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int length = char.IsHighSurrogate(text[i]) ? 2 : 1;
            symbols.Add(new Symbol(i, length, Vocabulary.TryGetId(text.AsSpan(i, length), out int id) ? id : -1));
            i += length;
        }

        PairMerger.Merge(text, symbols, new ScoreRule(Vocabulary));
        Span<byte> bytes = stackalloc byte[4];
        foreach (var symbol in symbols)
        {
            if (symbol.Id >= 0) ids.Add(symbol.Id);
            else if (_byteIds is null) ids.Add(_unknown);
            else
            {
                int count = Encoding.UTF8.GetBytes(text.AsSpan(symbol.Start, symbol.Length), bytes);
                foreach (byte b in bytes[..count]) ids.Add(_byteIds[b]);
            }
        }
    }

    private protected override byte[] PieceBytes(string piece) => Encoding.UTF8.GetBytes(piece.Replace(Space, ' '));

    private readonly struct ScoreRule(Vocabulary vocabulary) : IMergeRule
    {
        public bool TryMerge(ReadOnlySpan<char> text, Symbol left, Symbol right, out double rank, out int id)
        {
            rank = 0;
            id = -1;
            int length = left.Length + right.Length;
            if (length > vocabulary.LongestPiece || !vocabulary.TryGetId(text.Slice(left.Start, length), out id)) return false;
            rank = -vocabulary.Scores[id];
            return true;
        }
    }
}
