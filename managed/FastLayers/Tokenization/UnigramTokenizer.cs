using System.Text;
using FastLayers.Tokenization.Unicode;

namespace FastLayers.Tokenization;

/// <summary>
/// The unigram model (Kudo, arXiv:1804.10959): of all ways to cut a text into pieces the one with the highest sum of scores, by Viterbi's
/// algorithm. Text is normalized to NFKC, spaces are written ▁, runs of unknown characters become one unknown token.
/// </summary>
internal sealed class UnigramTokenizer(Vocabulary vocabulary, SpecialTokens special, bool addsSpacePrefix) : Tokenizer(vocabulary, special)
{
    private const char Space = SentencePieceBpeTokenizer.Space;

    /// <summary>How much below the worst piece an unknown character scores, as SentencePiece has it.</summary>
    private const float UnknownPenalty = 10;

    private readonly float _unknownScore = vocabulary.Scores.Where(float.IsFinite).DefaultIfEmpty(0).Min() - UnknownPenalty;
    private readonly int[]? _byteIds = vocabulary.ByteIds();
    private readonly int _unknown = vocabulary.ByteIds() is null ? RequireUnknown(vocabulary, special, "the 256 byte pieces") : -1;

    private protected override bool AddsSpacePrefix => addsSpacePrefix;

    private protected override void EncodeText(string text, List<int> ids, bool isFirst)
    {
        text = UnicodeNormalizer.FormKC(text).Replace(' ', Space);
        if (addsSpacePrefix && isFirst) text = Space + text;
        var (starts, tokens) = BestCuts(text);
        var cuts = new List<(int Start, int End, int Id)>();
        for (int end = text.Length; end > 0; end = starts[end]) cuts.Add((starts[end], end, tokens[end]));
        bool afterUnknown = false;
        for (int i = cuts.Count - 1; i >= 0; i--)
        {
            if (cuts[i].Id >= 0) ids.Add(cuts[i].Id);
            else if (_byteIds is not null) ids.AddRange(Encoding.UTF8.GetBytes(text[cuts[i].Start..cuts[i].End]).Select(b => _byteIds[b]));
            else if (!afterUnknown) ids.Add(_unknown);
            afterUnknown = cuts[i].Id < 0;
        }
    }

    private protected override byte[] PieceBytes(string piece) => Encoding.UTF8.GetBytes(piece.Replace(Space, ' '));

    private (int[] Starts, int[] Tokens) BestCuts(string text)
    {
        var best = new double[text.Length + 1];
        var starts = new int[text.Length + 1];
        var tokens = new int[text.Length + 1];
        Array.Fill(best, double.NegativeInfinity);
        best[0] = 0;
        for (int start = 0; start < text.Length; start++)
        {
            if (double.IsNegativeInfinity(best[start])) continue;
            int width = char.IsHighSurrogate(text[start]) && start + 1 < text.Length ? 2 : 1;
            int longest = Math.Min(Vocabulary.LongestPiece, text.Length - start);
            bool single = false;
            for (int length = 1; length <= longest; length++)
            {
                if (!Vocabulary.TryGetId(text.AsSpan(start, length), out int id) || Vocabulary.Kinds[id] is not (TokenKind.Normal or TokenKind.UserDefined)) continue;
                Offer(start + length, best[start] + Vocabulary.Scores[id], id);
                single |= length == width;
            }

            if (!single) Offer(start + width, best[start] + _unknownScore, -1);

            void Offer(int end, double score, int id)
            {
                if (score <= best[end]) return;
                (best[end], starts[end], tokens[end]) = (score, start, id);
            }
        }

        return (starts, tokens);
    }
}
