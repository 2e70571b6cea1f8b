using System.Globalization;
using System.Text;
using FastLayers.Tokenization.Unicode;

namespace FastLayers.Tokenization;

/// <summary>
/// WordPiece (BERT, Devlin et al., arXiv:1810.04805): lower case without accents, cut at white space and punctuation, each word covered from
/// the left by the longest pieces; a word that cannot be covered is unknown. Pieces that begin words are marked ▁, as in GGUF files.
/// </summary>
internal sealed class WordPieceTokenizer(Vocabulary vocabulary, SpecialTokens special, bool lowerCase = true) : Tokenizer(vocabulary, special)
{
    private const char WordStart = SentencePieceBpeTokenizer.Space;

    private readonly int _unknown = RequireUnknown(vocabulary, special, "a piece for each word");

    private protected override bool AddsSpacePrefix => true;

    private protected override void EncodeText(string text, List<int> ids, bool isFirst)
    {
        foreach (string word in Words(text))
        {
            int mark = ids.Count;
            string marked = WordStart + word;
            for (int start = 0; start < marked.Length;)
            {
                int length = Math.Min(Vocabulary.LongestPiece, marked.Length - start);
                int id = -1;
                while (length > 0 && !Vocabulary.TryGetId(marked.AsSpan(start, length), out id)) length--;
                if (length == 0)
                {
                    ids.RemoveRange(mark, ids.Count - mark);
                    ids.Add(_unknown);
                    break;
                }

                ids.Add(id);
                start += length;
            }
        }
    }

    private protected override byte[] PieceBytes(string piece) => Encoding.UTF8.GetBytes(piece.Replace(WordStart, ' '));

    private List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        void End()
        {
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }

        string normalized = lowerCase ? UnicodeNormalizer.FormD(text) : text;
        foreach (var rune in normalized.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (Rune.IsWhiteSpace(rune)) End();
            else if (rune.Value is 0 or 0xFFFD || category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned) continue;
            else if (lowerCase && category == UnicodeCategory.NonSpacingMark) continue;
            else if (IsPunctuation(rune, category) || IsCjk(rune.Value))
            {
                End();
                word.Append(rune.ToString());
                End();
            }
            else word.Append((lowerCase ? Rune.ToLowerInvariant(rune) : rune).ToString());
        }

        End();
        return words;
    }

    private static bool IsPunctuation(Rune rune, UnicodeCategory category) =>
        rune.Value is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126)
        || category is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    /// <summary>Chinese characters, each a word of its own.</summary>
    private static bool IsCjk(int value) =>
        value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
            or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B820 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
