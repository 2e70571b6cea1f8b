using System.Text;

namespace FastLayers.Tokenization;

/// <summary>
/// GPT-2's spelling of bytes as printable characters: bytes that print in Latin-1 stand for themselves, the other 68 for U+0100 on, in order.
/// </summary>
internal static class ByteLevel
{
    private static readonly char[] s_characters = MakeCharacters();
    private static readonly Dictionary<char, byte> s_bytes = Enumerable.Range(0, 256).ToDictionary(b => s_characters[b], b => (byte)b);

    /// <summary>The spellings of all bytes.</summary>
    public static IReadOnlyList<char> Characters => s_characters;

    /// <summary>The spelling of the UTF-8 bytes of a text.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int count = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, (characters, source) =>
        {
            for (int i = 0; i < characters.Length; i++) characters[i] = s_characters[source[i]];
        });
    }

    /// <summary>The bytes of a spelling; characters that spell no byte become their UTF-8 bytes.</summary>
    public static byte[] Bytes(string piece)
    {
        var bytes = new List<byte>(piece.Length);
        foreach (var rune in piece.EnumerateRunes())
        {
            if (rune.IsBmp && s_bytes.TryGetValue((char)rune.Value, out byte value)) bytes.Add(value);
            else bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
        }

        return [.. bytes];
    }

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        int extra = 0;
        for (int b = 0; b < 256; b++)
        {
            bool prints = b is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[b] = prints ? (char)b : (char)(0x100 + extra++);
        }

        return characters;
    }
}
