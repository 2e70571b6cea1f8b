using System.Diagnostics.CodeAnalysis;

namespace FastLayers.Tokenization;

/// <summary>What a token is for. The numbers are those of <c>tokenizer.ggml.token_type</c>.</summary>
internal enum TokenKind : byte
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>How an added token is found in text, as Hugging Face files say it.</summary>
[Flags]
internal enum AddedTokenRules : byte
{
    None = 0,
    TakesSpaceBefore = 1,
    TakesSpaceAfter = 2,
    WholeWord = 4,
}

/// <summary>The tokens of a model by id: text, kind and, once <see cref="SetBytes"/> has run, the bytes that each adds to a text.</summary>
internal sealed class Vocabulary
{
    private readonly string[] _texts;
    private readonly TokenKind[] _kinds;
    private readonly Dictionary<string, int> _ids;
    private byte[] _bytes = [];
    private int[] _offsets = [];

    /// <param name="source">The file, for errors.</param>
    /// <param name="texts">The text of each token; an empty one is a place without a token.</param>
    /// <param name="kinds">The kind of each token.</param>
    /// <param name="keepLastDuplicate">Let a later token hide an earlier one of the same text, instead of an error.</param>
    public Vocabulary(string source, string[] texts, TokenKind[] kinds, bool keepLastDuplicate = false)
    {
        Source = source;
        _texts = texts;
        _kinds = kinds;
        if (texts.Length == 0) throw new InvalidDataException($"{source}: the vocabulary is empty.");
        _ids = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        for (var id = 0; id < texts.Length; id++)
        {
            if (texts[id].Length == 0 || keepLastDuplicate && (_ids[texts[id]] = id) >= 0) continue;
            if (!_ids.TryAdd(texts[id], id))
            {
                throw new InvalidDataException($"{source}: tokens {_ids[texts[id]]} and {id} are both '{texts[id]}'; each token must be different.");
            }
        }
    }

    public string Source { get; }

    public int Count => _texts.Length;

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> IdsBySpan => _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>How added tokens are found; empty where no token has a rule.</summary>
    public Dictionary<int, AddedTokenRules> AddedRules { get; } = [];

    public string Text(int id) => _texts[id];

    public TokenKind Kind(int id) => _kinds[id];

    public bool TryGetId(string text, out int id) => _ids.TryGetValue(text, out id);

    public int? FindId(string text) => _ids.TryGetValue(text, out var id) ? id : null;

    public ReadOnlySpan<byte> Bytes(int id) => _bytes.AsSpan(_offsets[id], _offsets[id + 1] - _offsets[id]);

    /// <summary>Turns a token of the text into a control token: files name begin and end tokens without marking them.</summary>
    public void MarkControl(int id)
    {
        if (IsText(id)) _kinds[id] = TokenKind.Control;
    }

    public void SetKind(int id, TokenKind kind) => _kinds[id] = kind;

    /// <summary>Whether a token can come out of plain text.</summary>
    public bool IsText(int id) => _kinds[id] is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Unused;

    /// <summary>Computes the bytes of all tokens.</summary>
    public void SetBytes(Func<string, TokenKind, byte[]> bytes)
    {
        _offsets = new int[Count + 1];
        var all = new List<byte>(Count * 6);
        for (var id = 0; id < Count; id++)
        {
            all.AddRange(bytes(_texts[id], _kinds[id]));
            _offsets[id + 1] = all.Count;
        }
        _bytes = [.. all];
    }

    [DoesNotReturn]
    public void Fail(string message) => throw new InvalidDataException($"{Source}: {message}");
}

/// <summary>The roles of single tokens, and what <see cref="Tokenizer.Encode"/> puts around a text.</summary>
internal sealed record SpecialTokens
{
    public int? Begin { get; init; }
    public int? End { get; init; }
    public int? Unknown { get; init; }
    public int? Separator { get; init; }
    public int? Pad { get; init; }
    public IReadOnlyCollection<int> EndIds { get; init; } = [];
    public int[] Prefix { get; init; } = [];
    public int[] Suffix { get; init; } = [];

    /// <summary>Turns the tokens with a role into control tokens: files name them without marking them. The pad token may be any token.</summary>
    public void MarkControl(Vocabulary vocabulary)
    {
        foreach (var named in (int?[])[Begin, End, Unknown, Separator])
        {
            if (named is { } id) vocabulary.MarkControl(id);
        }
        foreach (var id in EndIds) vocabulary.MarkControl(id);
    }
}
