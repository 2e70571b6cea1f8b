using System.Globalization;
using System.Text;
using FastLayers.Tokenization.Unicode;

namespace FastLayers.Tokenization;

/// <summary>How WordPiece prepares text; the defaults are those of uncased BERT.</summary>
internal sealed record WordPieceOptions
{
    public bool LowerCase { get; init; } = true;

    /// <summary>Decompose characters and drop the accents.</summary>
    public bool StripAccents { get; init; } = true;

    /// <summary>Drop control characters.</summary>
    public bool CleanText { get; init; } = true;

    /// <summary>Make each Chinese character a word.</summary>
    public bool SplitChinese { get; init; } = true;

    /// <summary>Decoding leaves out the space before a punctuation mark or a shortened word.</summary>
    public bool CleansUp { get; init; }

    /// <summary>Longer words, in characters, become the unknown token.</summary>
    public int MaxWordLength { get; init; } = int.MaxValue;
}

/// <summary>
/// WordPiece (BERT): text becomes words of letters, and single punctuation marks and Chinese characters; a word becomes the longest
/// piece that starts it, then the longest that goes on, and the unknown token if some part has no piece. Decoding cannot restore case, accents and spaces.
/// </summary>
internal sealed class WordPieceTokenizer : Tokenizer
{
    /// <summary>What <c>cleanup</c> replaces in each token, in this order.</summary>
    private static readonly (string From, string To)[] s_cleanUps =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    private readonly WordPieceOptions _options;
    private readonly TextRewrite[] _rewrites;
    private readonly CharTrie _starts = new();
    private readonly CharTrie _continuations = new();
    private readonly int _unknown;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="special">The special tokens; an unknown token is among them.</param>
    /// <param name="startMark">What the pieces that start a word begin with (GGUF: <c>▁</c>), or empty.</param>
    /// <param name="continuationMark">What the pieces that go on begin with (<c>##</c>), or empty.</param>
    /// <param name="options">How text is prepared.</param>
    /// <param name="rewrites">Further changes to the text, made first.</param>
    public WordPieceTokenizer(
        Vocabulary vocabulary, SpecialTokens special, string startMark, string continuationMark, WordPieceOptions options, TextRewrite[] rewrites)
        : base(vocabulary, special, dropsLeadingSpace: true)
    {
        _options = options;
        _rewrites = rewrites;
        if (special.Unknown is null) vocabulary.Fail("a WordPiece vocabulary needs an unknown token, and the file names none.");
        _unknown = special.Unknown.GetValueOrDefault();
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (!vocabulary.IsText(id)) continue;
            var starts = Starts(vocabulary.Text(id), out var piece);
            if (piece.Length > 0) (starts ? _starts : _continuations).Add(piece, id);
        }
        vocabulary.SetBytes((text, kind) =>
            kind is TokenKind.Normal or TokenKind.Unused
                ? Encoding.UTF8.GetBytes(CleanUp(Starts(text, out var piece) ? " " + piece : piece))
                : Encoding.UTF8.GetBytes(text));

        string CleanUp(string text) => options.CleansUp ? s_cleanUps.Aggregate(text, (result, rule) => result.Replace(rule.From, rule.To, StringComparison.Ordinal)) : text;

        // Exactly one of the two marks is not empty; a piece without it is of the other sort.
        bool Starts(string text, out string piece)
        {
            var mark = startMark.Length > 0 ? startMark : continuationMark;
            var marked = text.StartsWith(mark, StringComparison.Ordinal);
            piece = marked ? text[mark.Length..] : text;
            return marked == startMark.Length > 0;
        }
    }

    private protected override void EncodeSegment(ReadOnlySpan<char> text, bool atTextStart, List<int> ids)
    {
        var prepared = TextRewrites.Apply(_rewrites, text.ToString(), atTextStart);
        if (_options.StripAccents) prepared = UnicodeNormalizer.FormD(prepared);
        var word = new StringBuilder();
        Span<char> utf16 = stackalloc char[2];
        foreach (var rune in prepared.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (_options.CleanText && IsDropped(rune, category)) continue;
            if (_options.StripAccents && category == UnicodeCategory.NonSpacingMark) continue;
            if (Rune.IsWhiteSpace(rune))
            {
                EncodeWord(word, ids);
                continue;
            }
            var alone = IsPunctuation(rune, category) || _options.SplitChinese && IsChinese(rune.Value);
            if (alone) EncodeWord(word, ids);
            var letter = _options.LowerCase ? Rune.ToLowerInvariant(rune) : rune;
            if (_options.LowerCase && rune.Value == 0x130) word.Append("i\u0307"); // the only lower case of two characters
            else word.Append(utf16[..letter.EncodeToUtf16(utf16)]);
            if (alone) EncodeWord(word, ids);
        }
        EncodeWord(word, ids);
    }

    private void EncodeWord(StringBuilder letters, List<int> ids)
    {
        if (letters.Length == 0) return;
        var word = letters.ToString();
        letters.Clear();
        var isTooLong = word.Length > _options.MaxWordLength && word.EnumerateRunes().Count() > _options.MaxWordLength;
        var first = ids.Count;
        var at = 0;
        while (at < word.Length && !isTooLong)
        {
            var length = (at == 0 ? _starts : _continuations).LongestPrefix(word.AsSpan(at), out var id);
            if (length == 0) break;
            ids.Add(id);
            at += length;
        }
        if (at == word.Length) return;
        ids.RemoveRange(first, ids.Count - first);
        ids.Add(_unknown);
    }

    private static bool IsDropped(Rune rune, UnicodeCategory category) => rune.Value switch
    {
        '\t' or '\n' or '\r' => false,
        0 or 0xFFFD => true,
        _ => category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned,
    };

    private static bool IsPunctuation(Rune rune, UnicodeCategory category) =>
        rune.IsAscii
            ? rune.Value is > ' ' and < 0x7F && !char.IsAsciiLetterOrDigit((char)rune.Value)
            : category is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    private static bool IsChinese(int point) => point
        is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF or >= 0x2A700 and <= 0x2B73F
        or >= 0x2B740 and <= 0x2B81F or >= 0x2B820 and <= 0x2CEAF or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;
}
