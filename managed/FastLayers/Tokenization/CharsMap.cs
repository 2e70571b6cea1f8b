using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace FastLayers.Tokenization;

/// <summary>
/// The normalization table that a SentencePiece model carries (<c>precompiled_charsmap</c>): the longest prefix that the table knows is
/// replaced, again and again. The layout is the byte length of a Darts double array, the array of uint32, then replacements ending in zero bytes.
/// </summary>
internal sealed class CharsMap
{
    private const uint ValueMask = 0x7FFF_FFFF;
    private const uint LabelMask = 0x8000_00FF;
    private const uint KeyEnd = 0x100;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    /// <exception cref="InvalidDataException">The table is damaged: it does not fit, its index runs in circles, or a replacement is no text.</exception>
    public CharsMap(string source, ReadOnlySpan<byte> bytes)
    {
        var arrayBytes = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;
        if (arrayBytes == 0 || arrayBytes % 4 != 0 || arrayBytes > bytes.Length - 4)
        {
            throw new InvalidDataException(
                $"{source}: the normalization table (precompiled_charsmap) of {bytes.Length} bytes says that its index takes {arrayBytes}; expected a multiple of 4 that fits.");
        }
        _units = new uint[arrayBytes / 4];
        for (var i = 0; i < _units.Length; i++) _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + 4 * i)..]);
        _replacements = bytes[(4 + (int)arrayBytes)..].ToArray();
        CheckIndex(source);
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
                output.AddRange(Replacement(replacement));
            }
            input = input[length..];
        }
        return Encoding.UTF8.GetString(output.ToArray());
    }

    // A unit of the double array: bits 10-30 and bit 9 give the offset of its children, bit 8 says that a key ends here (its
    // value is the unit at that offset, with bit 31 set), bits 0-7 and 31 must equal the byte that leads to it.
    private int LongestPrefix(ReadOnlySpan<byte> text, out int replacement)
    {
        replacement = 0;
        var longest = 0;
        var children = Offset(_units[0]);
        for (var i = 0; i < text.Length && text[i] != 0 && TryStep(children, text[i], out var unit); i++)
        {
            children = unit.Children;
            if (unit.EndsKey) (longest, replacement) = (i + 1, (int)(_units[children] & ValueMask));
        }
        return longest;
    }

    private bool TryStep(uint children, byte label, out (uint Children, bool EndsKey) unit)
    {
        unit = default;
        var at = children ^ label;
        if (at >= _units.Length || (_units[at] & LabelMask) != label) return false;
        unit = (at ^ Offset(_units[at]), (_units[at] & KeyEnd) != 0);
        return true;
    }

    /// <summary>Walks the whole index, parts of which may be shared: every key has an end, and a replacement that is text.</summary>
    private void CheckIndex(string source)
    {
        var visited = new bool[_units.Length];
        var isOpen = new bool[_units.Length];
        var open = new Stack<(uint Unit, uint Children, int Label)>([(0, Offset(_units[0]), 1)]);
        while (open.TryPop(out var place))
        {
            if (place.Label > byte.MaxValue)
            {
                isOpen[place.Unit] = false;
                continue;
            }
            open.Push(place with { Label = place.Label + 1 });
            if (!TryStep(place.Children, (byte)place.Label, out var unit)) continue;
            var at = place.Children ^ (uint)place.Label;
            if (isOpen[at]) throw Damaged($"leads from unit {at} of its index back to it");
            if (visited[at]) continue;
            visited[at] = isOpen[at] = true;
            open.Push((at, unit.Children, 1));
            if (unit.EndsKey) CheckValue(at, unit.Children);
        }

        void CheckValue(uint key, uint at)
        {
            if (at >= _units.Length || _units[at] <= ValueMask) throw Damaged($"has a key without a value at unit {key} of its index");
            var value = _units[at] & ValueMask;
            if (value >= _replacements.Length) throw Damaged($"has a replacement at {value}, but only {_replacements.Length} bytes of them");
            if (!Utf8.IsValid(Replacement((int)value))) throw Damaged($"has a replacement at {value} that is no UTF-8");
        }

        InvalidDataException Damaged(string how) => new($"{source}: the normalization table (precompiled_charsmap) {how}.");
    }

    private ReadOnlySpan<byte> Replacement(int start)
    {
        var text = _replacements.AsSpan(start);
        var end = text.IndexOf((byte)0);
        return end < 0 ? text : text[..end];
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
