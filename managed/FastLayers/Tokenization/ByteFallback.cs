using System.Globalization;
using System.Text;

namespace FastLayers.Tokenization;

/// <summary>Writes text that has no token of its own: as tokens for its UTF-8 bytes where the vocabulary has them, else as the unknown token.</summary>
internal sealed class ByteFallback
{
    private readonly int[] _idsByByte = new int[256];
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;

    /// <param name="vocabulary">Its tokens of kind <see cref="TokenKind.Byte"/> are used.</param>
    /// <param name="unknown">The unknown token.</param>
    /// <param name="fuseUnknown">Unknown characters in a row become one unknown token.</param>
    public ByteFallback(Vocabulary vocabulary, int? unknown, bool fuseUnknown)
    {
        _unknown = unknown;
        _fuseUnknown = fuseUnknown;
        Array.Fill(_idsByByte, -1);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) == TokenKind.Byte) _idsByByte[PieceBytes.ParseByte(vocabulary, id)] = id;
        }
        for (var value = 0; unknown is null && value < 256; value++)
        {
            if (_idsByByte[value] < 0 && !ByteAlphabet.IsNeverInUtf8(value))
            {
                vocabulary.Fail($"no token <0x{value:X2}> and no unknown token to take its place.");
            }
        }
    }

    /// <summary>Adds the tokens for one character.</summary>
    /// <param name="character">The character.</param>
    /// <param name="firstId">Where the stretch of text began in <paramref name="ids"/>: unknown tokens before it are not fused.</param>
    /// <param name="ids">Receives the tokens.</param>
    public void Add(ReadOnlySpan<char> character, int firstId, List<int> ids)
    {
        Span<byte> utf8 = stackalloc byte[4];
        utf8 = utf8[..Encoding.UTF8.GetBytes(character, utf8)];
        var start = ids.Count;
        foreach (var value in utf8)
        {
            if (_idsByByte[value] >= 0)
            {
                ids.Add(_idsByByte[value]);
                continue;
            }
            ids.RemoveRange(start, ids.Count - start);
            if (!_fuseUnknown || start == firstId || ids[start - 1] != _unknown) ids.Add(_unknown!.Value);
            return;
        }
    }
}

/// <summary>The bytes of SentencePiece tokens.</summary>
internal static class PieceBytes
{
    public static byte[] Decode(string text, TokenKind kind) => kind switch
    {
        TokenKind.Byte => [TryParse(text, out var value) ? value : (byte)0],
        TokenKind.Normal or TokenKind.UserDefined or TokenKind.Unused => Encoding.UTF8.GetBytes(text.Replace(TextRewrites.SpaceMark, ' ')),
        _ => Encoding.UTF8.GetBytes(text),
    };

    /// <summary>Reads <c>&lt;0x0A&gt;</c>.</summary>
    public static bool TryParse(string text, out byte value)
    {
        value = 0;
        return text.Length == 6 && text.StartsWith("<0x", StringComparison.Ordinal) && text[5] == '>'
            && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <exception cref="InvalidDataException">The token is not written like a byte.</exception>
    public static byte ParseByte(Vocabulary vocabulary, int id)
    {
        if (!TryParse(vocabulary.Text(id), out var value)) vocabulary.Fail($"token {id} is a byte and should read like <0x0A>, found '{vocabulary.Text(id)}'.");
        return value;
    }
}
