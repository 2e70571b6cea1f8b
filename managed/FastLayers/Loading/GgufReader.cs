using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace FastLayers.Loading;

/// <summary>
/// Reads the header of a GGUF file value by value. Every length is compared with the bytes that are left before anything is
/// allocated for it. Little-endian, as the host.
/// </summary>
internal sealed class GgufReader(MappedFile file)
{
    /// <summary>The longest text accepted; the longest in use, an embedded tokenizer.json, is a tenth of it.</summary>
    private const int LongestTextBytes = 1 << 28;

    /// <summary>The longest array accepted; 2^28 values are a thousand vocabularies.</summary>
    private const int LongestArray = 1 << 28;

    /// <summary>The offset of the next byte from the start of the file.</summary>
    public long Position { get; private set; }

    private long Left => file.Length - Position;

    /// <summary>Reads a number or other plain value.</summary>
    public unsafe T Read<T>(string place) where T : unmanaged => MemoryMarshal.Read<T>(Take(sizeof(T), place));

    /// <summary>Reads a count of items that take at least <paramref name="leastBytes"/> each.</summary>
    public int ReadCount(string place, int leastBytes, int most = LongestArray)
    {
        var count = Read<ulong>(place);
        most = (int)Math.Min(Left / leastBytes, most);
        return count <= (ulong)most ? (int)count : throw Refusal.Of(file.Path, place, $"at most {most} in the {Left} bytes that are left", $"{count}");
    }

    /// <summary>Reads a text: 64-bit length, then UTF-8.</summary>
    public string ReadText(string place)
    {
        var length = Read<ulong>(place);
        if (length > (ulong)Math.Min(Left, LongestTextBytes))
            throw Refusal.Of(file.Path, place, $"a text of at most {Math.Min(Left, LongestTextBytes)} bytes at offset {Position}", $"{length} bytes");
        var bytes = Take((int)length, place);
        if (!Utf8.IsValid(bytes)) throw Refusal.Of(file.Path, place, $"UTF-8 text before offset {Position}", "invalid bytes");
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Reads the type number and the value of a metadata entry.</summary>
    public object ReadValue(string place)
    {
        var type = (GgufValueType)Read<uint>(place);
        return type switch
        {
            GgufValueType.UInt8 => Read<byte>(place),
            GgufValueType.Int8 => Read<sbyte>(place),
            GgufValueType.UInt16 => Read<ushort>(place),
            GgufValueType.Int16 => Read<short>(place),
            GgufValueType.UInt32 => Read<uint>(place),
            GgufValueType.Int32 => Read<int>(place),
            GgufValueType.UInt64 => Read<ulong>(place),
            GgufValueType.Int64 => Read<long>(place),
            GgufValueType.Float32 => Read<float>(place),
            GgufValueType.Float64 => Read<double>(place),
            GgufValueType.Bool => Flag(Read<byte>(place), place),
            GgufValueType.String => ReadText(place),
            GgufValueType.Array => ReadArray(place),
            _ => throw UnknownType(type, place),
        };
    }

    private Array ReadArray(string place)
    {
        var type = (GgufValueType)Read<uint>(place);
        return type switch
        {
            GgufValueType.UInt8 => ReadNumbers<byte>(place),
            GgufValueType.Int8 => ReadNumbers<sbyte>(place),
            GgufValueType.UInt16 => ReadNumbers<ushort>(place),
            GgufValueType.Int16 => ReadNumbers<short>(place),
            GgufValueType.UInt32 => ReadNumbers<uint>(place),
            GgufValueType.Int32 => ReadNumbers<int>(place),
            GgufValueType.UInt64 => ReadNumbers<ulong>(place),
            GgufValueType.Int64 => ReadNumbers<long>(place),
            GgufValueType.Float32 => ReadNumbers<float>(place),
            GgufValueType.Float64 => ReadNumbers<double>(place),
            GgufValueType.Bool => Array.ConvertAll(ReadNumbers<byte>(place), value => Flag(value, place)),
            GgufValueType.String => ReadTexts(place),
            GgufValueType.Array => throw Refusal.Of(file.Path, place, "an array of numbers, flags or texts", "an array of arrays"),
            _ => throw UnknownType(type, place),
        };
    }

    private unsafe T[] ReadNumbers<T>(string place) where T : unmanaged
    {
        var values = new T[ReadCount(place, sizeof(T))];
        var bytes = MemoryMarshal.AsBytes(values.AsSpan());
        Take(bytes.Length, place).CopyTo(bytes);
        return values;
    }

    private string[] ReadTexts(string place)
    {
        var values = new string[ReadCount(place, sizeof(ulong))];
        foreach (ref var value in values.AsSpan()) value = ReadText(place);
        return values;
    }

    private ReadOnlySpan<byte> Take(int count, string place)
    {
        if (count > Left) throw Refusal.Of(file.Path, place, $"{count} bytes at offset {Position}", $"the end of the file after {Left}");
        var bytes = file.Bytes(Position, count);
        Position += count;
        return bytes;
    }

    private bool Flag(byte value, string place) =>
        value <= 1 ? value == 1 : throw Refusal.Of(file.Path, place, "a flag of 0 or 1", $"{value}");

    private InvalidDataException UnknownType(GgufValueType type, string place) =>
        Refusal.Of(file.Path, place, "a value type from 0 to 12", $"{(uint)type}");
}
