namespace FastLayers.Tokenization;

/// <summary>
/// The alphabet in which byte-level BPE writes bytes, from GPT-2: printable Latin-1 bytes stand for themselves, the other 68 are the
/// characters from U+0100 on in byte order (space is <c>Ġ</c>, line feed <c>Ċ</c>).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharsByByte = BuildChars();
    private static readonly Dictionary<char, byte> BytesByChar = BuildBytes();

    public static char ToChar(byte value) => CharsByByte[value];

    /// <summary>Whether UTF-8 never has a byte.</summary>
    public static bool IsNeverInUtf8(int value) => value is 0xC0 or 0xC1 or > 0xF4;

    /// <summary>Whether each byte that text can have is a token.</summary>
    public static bool IsCovered(Vocabulary vocabulary)
    {
        for (var value = 0; value < 256; value++)
        {
            if (!IsNeverInUtf8(value) && vocabulary.FindId(ToChar((byte)value).ToString()) is null) return false;
        }
        return true;
    }

    /// <summary>The bytes of a token's text; a character outside the alphabet gives its UTF-8 bytes.</summary>
    public static byte[] Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsBmp && BytesByChar.TryGetValue((char)rune.Value, out var value)) bytes.Add(value);
            else bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
        }
        return [.. bytes];
    }

    private static char[] BuildChars()
    {
        var chars = new char[256];
        var next = (char)256;
        for (var value = 0; value < 256; value++)
        {
            var standsForItself = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            chars[value] = standsForItself ? (char)value : next++;
        }
        return chars;
    }

    private static Dictionary<char, byte> BuildBytes()
    {
        var bytes = new Dictionary<char, byte>(256);
        for (var value = 0; value < 256; value++) bytes.Add(CharsByByte[value], (byte)value);
        return bytes;
    }
}
