using System.Buffers.Binary;
using System.Text;

namespace FastLayers.Tokenization;

/// <summary>
/// The normalization table that a SentencePiece model carries (<c>precompiled_charsmap</c>): the longest prefix that the table knows is
/// replaced, again and again. The layout is the byte length of a Darts double array, the array of uint32, then replacements ending in zero bytes.
/// </summary>
internal sealed class CharsMap
{
    /// <summary>Longer than any key of a published table; keeps a damaged one from being searched for each character to the end of the text.</summary>
    private const int MaxKeyBytes = 256;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    /// <exception cref="InvalidDataException">The lengths do not fit.</exception>
    public CharsMap(string source, ReadOnlySpan<byte> bytes)
    {
        var arrayBytes = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;
        if (arrayBytes == 0 || arrayBytes % 4 != 0 || arrayBytes > bytes.Length - 4)
        {
            throw new InvalidDataException(
                $"{source}: the normalization table of {bytes.Length} bytes says that its index takes {arrayBytes}; expected a multiple of 4 that fits.");
        }
        _units = new uint[arrayBytes / 4];
        for (var i = 0; i < _units.Length; i++) _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + 4 * i)..]);
        _replacements = bytes[(4 + (int)arrayBytes)..].ToArray();
    }

    public string Normalize(string text)
    {
        var input = Encoding.UTF8.GetBytes(text).AsSpan();
        var output = new List<byte>(input.Length + 8);
        while (!input.IsEmpty)
        {
            var length = LongestPrefix(input, out var replacement);
            if (length == 0)
            {
                Rune.DecodeFromUtf8(input, out _, out length);
                output.AddRange(input[..length]);
            }
            else
            {
                var end = _replacements.AsSpan(replacement).IndexOf((byte)0);
                output.AddRange(end < 0 ? _replacements.AsSpan(replacement) : _replacements.AsSpan(replacement, end));
            }
            input = input[length..];
        }
        return Encoding.UTF8.GetString(output.ToArray());
    }

    // A unit of the double array: bits 10-30 and bit 9 give the offset of its children, bit 8 says that a key ends here (its
    // value is the unit at that offset), bits 0-7 and 31 must equal the byte that leads to it.
    private int LongestPrefix(ReadOnlySpan<byte> text, out int replacement)
    {
        replacement = 0;
        var longest = 0;
        var at = Offset(_units[0]);
        for (var i = 0; i < Math.Min(text.Length, MaxKeyBytes); i++)
        {
            at ^= text[i];
            if (text[i] == 0 || at >= _units.Length || (_units[at] & 0x8000_00FF) != text[i]) break;
            var unit = _units[at];
            at ^= Offset(unit);
            if ((unit & 0x100) == 0) continue;
            if (at >= _units.Length) break;
            var value = _units[at] & 0x7FFF_FFFF;
            if (value >= _replacements.Length) break;
            (longest, replacement) = (i + 1, (int)value);
        }
        return longest;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
