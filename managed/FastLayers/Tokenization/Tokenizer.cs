using System.Text;
using FastLayers.Loading;

namespace FastLayers.Tokenization;

/// <summary>Which tokens begin, end and separate texts.</summary>
public sealed record SpecialTokens
{
    /// <summary>Begins a text (BERT: [CLS]), or null.</summary>
    public int? Begin { get; init; }

    /// <summary>Ends a text, or null.</summary>
    public int? End { get; init; }

    /// <summary>Stands for text that has no piece, or null.</summary>
    public int? Unknown { get; init; }

    /// <summary>Separates texts (BERT: [SEP]), or null.</summary>
    public int? Separator { get; init; }

    /// <summary>Fills up batches, or null.</summary>
    public int? Pad { get; init; }

    /// <summary>Tokens besides <see cref="End"/> that end a turn or message.</summary>
    public IReadOnlyList<int> OtherEnds { get; init; } = [];

    /// <summary>Whether <see cref="Begin"/> is put before a text.</summary>
    public bool AddsBegin { get; init; }

    /// <summary>Whether <see cref="End"/> (BERT: <see cref="Separator"/>) is put after a text.</summary>
    public bool AddsEnd { get; init; }
}

/// <summary>
/// Turns text into token ids and back. The kinds are written here rather than taken from Microsoft.ML.Tokenizers, which covers none of them
/// exactly: its byte-level BPE with GPT-2's files merges runs of spaces into tokens of its own and keeps lone surrogates, its WordPiece relies
/// on the host's normalization, and GGUF's layouts (word starts marked, scores beside pieces) are none of the files that it reads.
/// Instances are immutable and may be used by several threads.
/// </summary>
public abstract class Tokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly SpecialTokens _special;
    private readonly SpecialTokenFinder _finder;

    private protected Tokenizer(Vocabulary vocabulary, SpecialTokens special)
    {
        _vocabulary = vocabulary;
        _special = special;
        foreach (int? id in (ReadOnlySpan<int?>)[special.Begin, special.End, special.Unknown, special.Separator, special.Pad])
        {
            if (id is { } value && (uint)value >= (uint)vocabulary.Count)
                throw new InvalidDataException($"{vocabulary.Source}: a special token should be 0 to {vocabulary.Count - 1}, found {value}.");
        }

        EndIds = special.OtherEnds.Concat(special.End is { } end ? [end] : []).ToHashSet();
        _finder = new SpecialTokenFinder(vocabulary);
    }

    /// <summary>Number of entries.</summary>
    public int VocabularySize => _vocabulary.Count;

    /// <summary>Begins a text, or null.</summary>
    public int? BeginId => _special.Begin;

    /// <summary>Ends a text, or null.</summary>
    public int? EndId => _special.End;

    /// <summary>Stands for text that has no piece, or null.</summary>
    public int? UnknownId => _special.Unknown;

    /// <summary>Separates texts, or null.</summary>
    public int? SeparatorId => _special.Separator;

    /// <summary>Fills up batches, or null.</summary>
    public int? PadId => _special.Pad;

    /// <summary>Every token that ends generation.</summary>
    public IReadOnlySet<int> EndIds { get; }

    /// <summary>Whether <see cref="Encode"/> puts <see cref="BeginId"/> before a text.</summary>
    public bool AddsBegin => _special.AddsBegin && _special.Begin is not null;

    /// <summary>Whether <see cref="Encode"/> puts an end behind a text.</summary>
    public bool AddsEnd => _special.AddsEnd && (_special.Separator ?? _special.End) is not null;

    private protected Vocabulary Vocabulary => _vocabulary;

    /// <summary>Whether decoding drops one space from the start of a text, since encoding put one there.</summary>
    private protected virtual bool AddsSpacePrefix => false;

    /// <summary>The tokenizer that a GGUF file's metadata describes.</summary>
    /// <exception cref="InvalidDataException">The metadata is incomplete or inconsistent.</exception>
    /// <exception cref="NotSupportedException">The kind of tokenizer is not known.</exception>
    public static Tokenizer FromMetadata(ModelMetadata metadata) => GgufTokenizerReader.Read(metadata);

    /// <summary>
    /// The tokenizer of a vocabulary file: <c>tokenizer.json</c> (Hugging Face), <c>vocab.json</c> of GPT-2 with <c>merges.txt</c> beside it,
    /// <c>vocab.json</c> of unigram pieces with scores, or <c>vocab.txt</c> (WordPiece).
    /// </summary>
    /// <exception cref="InvalidDataException">The file is none of these, or inconsistent.</exception>
    public static Tokenizer FromFile(string path) => VocabularyFileReader.Read(path);

    /// <summary>Token ids of a text.</summary>
    /// <param name="text">The text; lone surrogates count as U+FFFD.</param>
    /// <param name="addSpecial">Whether the tokens that begin and end a text are added, as the vocabulary wants.</param>
    /// <param name="parseSpecial">Whether the text's spellings of control tokens become those tokens. User-defined ones always do.</param>
    public int[] Encode(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = Vocabulary.WellFormed(text);
        var ids = new List<int>((text.Length / 3) + 4);
        if (addSpecial && AddsBegin) ids.Add(_special.Begin!.Value);
        bool first = true;
        int start = 0;
        while (start < text.Length)
        {
            var (index, length, id) = _finder.Next(text, start, parseSpecial);
            if (index > start) EncodeText(text[start..index], ids, first);
            if (length > 0) ids.Add(id);
            first = false;
            start = index + length;
        }

        if (addSpecial && AddsEnd) ids.Add((_special.Separator ?? _special.End)!.Value);
        return [.. ids];
    }

    /// <summary>The text of some tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="skipSpecial">Whether control tokens are left out.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var decoder = new StreamingDecoder(this, startsText: true, skipSpecial);
        var text = new StringBuilder();
        foreach (int id in ids) text.Append(decoder.Append(id));
        return text.Append(decoder.Flush()).ToString();
    }

    /// <summary>A decoder for tokens that arrive one by one.</summary>
    /// <param name="startsText">Whether the first token begins a text rather than continuing one.</param>
    /// <param name="skipSpecial">Whether control tokens are left out.</param>
    public StreamingDecoder CreateStreamingDecoder(bool startsText = false, bool skipSpecial = true) => new(this, startsText, skipSpecial);

    /// <summary>The vocabulary's spelling of a token.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public string TokenText(int id) => _vocabulary.Pieces[Checked(id)];

    /// <summary>The bytes of text that a token stands for.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public byte[] TokenBytes(int id)
    {
        string piece = _vocabulary.Pieces[Checked(id)];
        return _vocabulary.Kinds[id] switch
        {
            TokenKind.Byte when Vocabulary.TryParseByte(piece, out byte value) => [value],
            TokenKind.Normal or TokenKind.Byte => PieceBytes(piece),
            _ => Encoding.UTF8.GetBytes(piece),
        };
    }

    /// <summary>Whether a token is a control token or stands for unknown text.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public bool IsSpecial(int id) => _vocabulary.Kinds[Checked(id)] is TokenKind.Control or TokenKind.Unused;

    /// <summary>The token for text without a piece.</summary>
    /// <exception cref="InvalidDataException">The vocabulary has none, and <paramref name="missing"/> says what would need it.</exception>
    private protected static int RequireUnknown(Vocabulary vocabulary, SpecialTokens special, string missing) =>
        special.Unknown ?? throw new InvalidDataException($"{vocabulary.Source}: the vocabulary should have {missing} or a token for unknown text, found neither.");

    internal bool DropsFirstSpace => AddsSpacePrefix;

    /// <summary>Appends the tokens of text without special tokens.</summary>
    /// <param name="text">Well-formed text, not empty.</param>
    /// <param name="ids">Receives the tokens.</param>
    /// <param name="isFirst">Whether the text stands at the start of the whole.</param>
    private protected abstract void EncodeText(string text, List<int> ids, bool isFirst);

    /// <summary>The bytes of a normal piece.</summary>
    private protected abstract byte[] PieceBytes(string piece);

    private int Checked(int id) => (uint)id < (uint)_vocabulary.Count ? id : throw new ArgumentOutOfRangeException(nameof(id), id, $"Token ids are 0 to {_vocabulary.Count - 1}.");
}
