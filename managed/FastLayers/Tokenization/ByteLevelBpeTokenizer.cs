using System.Text;

namespace FastLayers.Tokenization;

/// <summary>
/// Byte-level BPE (GPT-2, Llama 3, Qwen): the text is cut into words, each word starts as its UTF-8 bytes, and the merge that comes
/// first in the merge list is applied first. Every text can be expressed and comes back exactly.
/// </summary>
internal sealed class ByteLevelBpeTokenizer : Tokenizer
{
    private readonly WordPattern[] _patterns;
    private readonly TextRewrite[] _rewrites;
    private readonly bool _wholeWordsFirst;
    private readonly PairRanks _ranks;
    private readonly int[] _idsByByte;

    /// <param name="vocabulary">Token texts in <see cref="ByteAlphabet"/>.</param>
    /// <param name="special">The special tokens.</param>
    /// <param name="merges">The merge list.</param>
    /// <param name="patterns">How text is cut into words; each one cuts the words of the one before.</param>
    /// <param name="wholeWordsFirst">A word that is a token is taken whole, even where merges would not reach it.</param>
    /// <param name="rewrites">Changes to the text before it is cut.</param>
    public ByteLevelBpeTokenizer(
        Vocabulary vocabulary, SpecialTokens special, PairRanks merges, WordPattern[] patterns, bool wholeWordsFirst, TextRewrite[] rewrites)
        : base(vocabulary, special, dropsLeadingSpace: false)
    {
        _patterns = patterns;
        _rewrites = rewrites;
        _wholeWordsFirst = wholeWordsFirst;
        _ranks = merges;
        vocabulary.SetBytes((text, kind) => kind == TokenKind.Normal ? ByteAlphabet.Decode(text) : Encoding.UTF8.GetBytes(text));

        _idsByByte = new int[256];
        for (var value = 0; value < 256; value++)
        {
            if (vocabulary.TryGetId(ByteAlphabet.ToChar((byte)value).ToString(), out var id)) _idsByByte[value] = id;
            else if (special.Unknown is { } unknown) _idsByByte[value] = unknown;
            else if (!ByteAlphabet.IsNeverInUtf8(value)) vocabulary.Fail($"no token for byte 0x{value:X2} ('{ByteAlphabet.ToChar((byte)value)}') and no unknown token to take its place.");
        }
    }

    private protected override void EncodeSegment(ReadOnlySpan<char> text, bool atTextStart, List<int> ids)
    {
        var rewritten = _rewrites.Length == 0 ? text : TextRewrites.Apply(_rewrites, text.ToString(), atTextStart);
        SplitAndEncode(rewritten, 0, new PairMerger(), ids);
    }

    private void SplitAndEncode(ReadOnlySpan<char> text, int level, PairMerger merger, List<int> ids)
    {
        if (level == _patterns.Length)
        {
            EncodeWord(text, merger, ids);
            return;
        }
        while (!text.IsEmpty)
        {
            var length = _patterns[level].Next(text);
            SplitAndEncode(text[..length], level + 1, merger, ids);
            text = text[length..];
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, PairMerger merger, List<int> ids)
    {
        const int onStack = 512;
        var maxBytes = Encoding.UTF8.GetMaxByteCount(word.Length);
        var bytes = maxBytes <= onStack ? stackalloc byte[onStack] : new byte[maxBytes];
        bytes = bytes[..Encoding.UTF8.GetBytes(word, bytes)];
        if (_wholeWordsFirst && TryWholeWord(bytes, out var whole))
        {
            ids.Add(whole);
            return;
        }
        merger.Clear();
        for (var i = 0; i < bytes.Length; i++) merger.Add(new Symbol(_idsByByte[bytes[i]], i, 1));
        merger.Merge(_ranks);
        for (var i = merger.First; i >= 0; i = merger.Next(i)) ids.Add(merger[i].Id);
    }

    private bool TryWholeWord(ReadOnlySpan<byte> bytes, out int id)
    {
        const int longestToken = 256; // longer words than any token are not worth looking up
        id = 0;
        if (bytes.Length > longestToken) return false;
        Span<char> chars = stackalloc char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) chars[i] = ByteAlphabet.ToChar(bytes[i]);
        return Vocabulary.IdsBySpan.TryGetValue(chars, out id) && Vocabulary.IsText(id);
    }
}
