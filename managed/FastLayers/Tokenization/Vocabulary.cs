using System.Text;

namespace FastLayers.Tokenization;

/// <summary>Kinds of vocabulary entries; the numbers are those of GGUF files.</summary>
public enum TokenKind
{
    /// <summary>A piece of text.</summary>
    Normal = 1,

    /// <summary>What stands for text that has no piece.</summary>
    Unknown = 2,

    /// <summary>Begins, ends or structures text; not part of it.</summary>
    Control = 3,

    /// <summary>Added by users; matched whole.</summary>
    UserDefined = 4,

    /// <summary>A place that no text uses.</summary>
    Unused = 5,

    /// <summary>One byte, written <c>&lt;0xXX&gt;</c>.</summary>
    Byte = 6,
}

/// <summary>The pieces of a tokenizer with their kinds and scores, checked once.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;

    /// <summary>Creates a vocabulary.</summary>
    /// <exception cref="InvalidDataException">No pieces, lists of different length, or a score that is NaN.</exception>
    public Vocabulary(string source, string[] pieces, TokenKind[]? kinds = null, float[]? scores = null)
    {
        if (pieces.Length == 0) throw new InvalidDataException($"{source}: the vocabulary is empty.");
        if (kinds is not null && kinds.Length != pieces.Length) throw new InvalidDataException($"{source}: {pieces.Length} tokens should have as many types, found {kinds.Length}.");
        if (scores is not null && scores.Length != pieces.Length) throw new InvalidDataException($"{source}: {pieces.Length} tokens should have as many scores, found {scores.Length}.");
        Source = source;
        Pieces = pieces;
        Kinds = kinds ?? [.. Enumerable.Repeat(TokenKind.Normal, pieces.Length)];
        Scores = scores ?? [];
        _ids = new Dictionary<string, int>(pieces.Length, StringComparer.Ordinal);
        for (int i = 0; i < pieces.Length; i++)
        {
            if (pieces[i] is null) throw new InvalidDataException($"{source}: token {i} has no text.");
            if (Scores.Length > 0 && float.IsNaN(Scores[i])) throw new InvalidDataException($"{source}: the score of token {i} should be a number, found NaN.");
            // Files with duplicates exist (padding entries); the first keeps the text.
            _ids.TryAdd(pieces[i], i);
        }

        Lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        LongestPiece = pieces.Max(p => p.Length);
    }

    public string Source { get; }

    public string[] Pieces { get; }

    public TokenKind[] Kinds { get; }

    /// <summary>Scores, or none.</summary>
    public float[] Scores { get; }

    public int Count => Pieces.Length;

    /// <summary>UTF-16 units of the longest piece.</summary>
    public int LongestPiece { get; }

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup { get; }

    public bool TryGetId(ReadOnlySpan<char> piece, out int id) => Lookup.TryGetValue(piece, out id);

    /// <summary>Ids of the 256 byte tokens <c>&lt;0xXX&gt;</c>, or null if one is missing.</summary>
    public int[]? ByteIds()
    {
        var ids = new int[256];
        for (int b = 0; b < 256; b++)
        {
            if (!_ids.TryGetValue($"<0x{b:X2}>", out ids[b])) return null;
        }

        return ids;
    }

    /// <summary>The value of a piece <c>&lt;0xXX&gt;</c>.</summary>
    public static bool TryParseByte(string piece, out byte value)
    {
        value = 0;
        return piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal) && piece[5] == '>'
            && byte.TryParse(piece.AsSpan(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Text as UTF-16 without lone surrogates, each replaced by U+FFFD.</summary>
    public static string WellFormed(string text)
    {
        foreach (char unit in text)
        {
            if (char.IsSurrogate(unit)) return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        }

        return text;
    }
}
