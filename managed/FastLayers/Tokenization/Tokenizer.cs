using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text;
using FastLayers.Loading;

namespace FastLayers.Tokenization;

/// <summary>
/// Turns text into the token ids that a model was trained on, and ids back into text. Four kinds exist: byte-level BPE,
/// SentencePiece BPE, WordPiece and Unigram. A tokenizer is immutable and may be used from several threads.
/// </summary>
/// <remarks>
/// All kinds are written here instead of taken from Microsoft.ML.Tokenizers, which covers none of them exactly: its patterns are .NET
/// regular expressions, which see letters beyond U+FFFF as two symbols; its byte-level BPE with GPT-2's files merges runs of spaces into
/// tokens of its own; its WordPiece relies on the host's normalization, a no-op without ICU; and it reads none of GGUF's layouts.
/// <para>Text is read as UTF-16; a surrogate without its partner counts as U+FFFD.</para>
/// </remarks>
public abstract class Tokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly SpecialTokens _special;
    private readonly AddedTokenMatcher _added;
    private readonly FrozenSet<int> _endIds;
    private readonly bool _dropsLeadingSpace;

    private protected Tokenizer(Vocabulary vocabulary, SpecialTokens special, bool dropsLeadingSpace)
    {
        _vocabulary = vocabulary;
        _special = special;
        _added = new AddedTokenMatcher(vocabulary);
        _endIds = special.EndIds.ToFrozenSet();
        _dropsLeadingSpace = dropsLeadingSpace;
    }

    /// <summary>The number of token ids; ids run from 0 to this number minus one.</summary>
    public int VocabularySize => _vocabulary.Count;

    /// <summary>The token that opens a text (BOS; for BERT, CLS), if the model has one.</summary>
    public int? BeginId => _special.Begin;

    /// <summary>The token that closes a text (EOS; for BERT, SEP), if the model has one.</summary>
    public int? EndId => _special.End;

    /// <summary>The token for text that the vocabulary cannot express, if the model has one.</summary>
    public int? UnknownId => _special.Unknown;

    /// <summary>The token between two texts of one input, if the model has one.</summary>
    public int? SeparatorId => _special.Separator;

    /// <summary>The token that fills unused places of a batch, if the model has one.</summary>
    public int? PadId => _special.Pad;

    /// <summary>All tokens at which generation stops: end of text, end of turn, end of message.</summary>
    public IReadOnlySet<int> EndIds => _endIds;

    /// <summary>Whether <see cref="Encode"/> puts tokens before the text when asked for special tokens.</summary>
    public bool AddsBegin => _special.Prefix.Length > 0;

    /// <summary>Whether <see cref="Encode"/> puts tokens after the text when asked for special tokens.</summary>
    public bool AddsEnd => _special.Suffix.Length > 0;

    private protected Vocabulary Vocabulary => _vocabulary;

    /// <summary>Creates the tokenizer that a GGUF file describes in its <c>tokenizer.ggml.*</c> keys.</summary>
    /// <exception cref="InvalidDataException">The keys are missing or contradict each other.</exception>
    /// <exception cref="NotSupportedException">The keys name a kind of tokenizer or of words that is not known.</exception>
    public static Tokenizer FromMetadata(ModelMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return GgufTokenizer.Create(metadata);
    }

    /// <summary>
    /// Opens a tokenizer file: a Hugging Face <c>tokenizer.json</c>; <c>vocab.json</c> of GPT-2 with <c>merges.txt</c> beside it;
    /// <c>vocab.json</c> of unigram pieces with scores; or <c>vocab.txt</c> (WordPiece, one token a line). The special tokens that a
    /// <c>tokenizer_config.json</c> or <c>generation_config.json</c> beside the file names are taken over.
    /// </summary>
    /// <remarks>
    /// What a file asks for is done or refused, never left out. The exceptions are <c>truncation</c> and <c>padding</c> of a
    /// <c>tokenizer.json</c>, which are defaults for callers: <see cref="Encode"/> gives all tokens of a text, and no others.
    /// </remarks>
    /// <exception cref="InvalidDataException">The file is damaged or contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The file asks for a step or an option that is not supported; the message names it.</exception>
    /// <exception cref="IOException">The file, or the merge list, cannot be read.</exception>
    public static Tokenizer FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return TokenizerFile.Open(path);
    }

    /// <summary>The token ids of a text.</summary>
    /// <param name="text">The text; may be empty.</param>
    /// <param name="addSpecial">Add the tokens that the model expects around a text, as <see cref="AddsBegin"/> and <see cref="AddsEnd"/> say.</param>
    /// <param name="parseSpecial">
    /// Read the text of a control token (<c>&lt;|im_end|&gt;</c>, <c>[SEP]</c>) as that token, the longest one first. Leave it off for text
    /// from outside, which could otherwise forge the turns of a chat. Added tokens that are not control tokens are ordinary
    /// text to the model and are read as tokens in either case.
    /// </param>
    public int[] Encode(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3 + 4);
        if (addSpecial) ids.AddRange(_special.Prefix);

        var wellFormed = WithoutLoneSurrogates(text);
        var position = 0;
        while (_added.TryFind(wellFormed, position, parseSpecial, out var match))
        {
            EncodeNonEmpty(wellFormed.AsSpan(position, match.Start - position), position == 0, ids);
            ids.Add(match.Id);
            position = match.End;
        }
        EncodeNonEmpty(wellFormed.AsSpan(position), position == 0, ids);

        if (addSpecial) ids.AddRange(_special.Suffix);
        return [.. ids];
    }

    /// <summary>The text of token ids. Bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">The tokens, as a text of their own: the space that <see cref="Encode"/> put before the first word is dropped again.</param>
    /// <param name="skipSpecial">Leave out special tokens; otherwise their own text is written.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id lies outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var decoder = CreateStreamingDecoder(startsText: true, skipSpecial);
        var text = new StringBuilder();
        foreach (var id in ids) text.Append(decoder.Append(id));
        return text.Append(decoder.Flush()).ToString();
    }

    /// <summary>The bytes that a token adds to the text; not always complete UTF-8. Words that start with a space include it.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> lies outside the vocabulary.</exception>
    public ReadOnlySpan<byte> TokenBytes(int id) => _vocabulary.Bytes(Checked(id));

    /// <summary>The token as the vocabulary writes it (<c>Ġthe</c>, <c>▁the</c>, <c>&lt;0x0A&gt;</c>).</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> lies outside the vocabulary.</exception>
    public string TokenText(int id) => _vocabulary.Text(Checked(id));

    /// <summary>Whether a token is a control token or the unknown token, neither of which is part of the text.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> lies outside the vocabulary.</exception>
    public bool IsSpecial(int id) => _vocabulary.Kind(Checked(id)) is TokenKind.Control or TokenKind.Unknown;

    /// <summary>Creates a decoder that takes ids one at a time.</summary>
    /// <param name="startsText">The first id begins a text, so that its leading space is dropped, rather than going on after other text as generated tokens do.</param>
    /// <param name="skipSpecial">Leave out special tokens; otherwise their own text is written.</param>
    public StreamingDecoder CreateStreamingDecoder(bool startsText = false, bool skipSpecial = true) =>
        new(this, skipSpecial, startsText && _dropsLeadingSpace);

    /// <summary>Adds the tokens of one stretch of text without special tokens.</summary>
    /// <param name="text">Well-formed UTF-16, not empty.</param>
    /// <param name="atTextStart">Whether it is the start of the whole text.</param>
    /// <param name="ids">Receives the tokens.</param>
    private protected abstract void EncodeSegment(ReadOnlySpan<char> text, bool atTextStart, List<int> ids);

    private void EncodeNonEmpty(ReadOnlySpan<char> text, bool atTextStart, List<int> ids)
    {
        if (!text.IsEmpty) EncodeSegment(text, atTextStart, ids);
    }

    private int Checked(int id, [CallerArgumentExpression(nameof(id))] string? name = null) =>
        (uint)id < (uint)_vocabulary.Count
            ? id
            : throw new ArgumentOutOfRangeException(name, id, $"{_vocabulary.Source}: token ids run from 0 to {_vocabulary.Count - 1}.");

    private static string WithoutLoneSurrogates(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])) i++;
            else return ReplaceLoneSurrogates(text);
        }
        return text;
    }

    private static string ReplaceLoneSurrogates(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) result.Append(rune.ToString());
        return result.ToString();
    }
}
