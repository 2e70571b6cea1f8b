using System.Buffers.Binary;

namespace FastLayers.Fuzz;

/// <summary>Damages files: bits, bytes, number fields, ranges, JSON tokens. The same random numbers give the same damage.</summary>
public sealed class Mutator(Random random)
{
    /// <summary>Values at which lengths, counts and offsets overflow, wrap or vanish.</summary>
    private static readonly ulong[] EdgeValues =
    [
        0, 1, 2, 3, 7, 31, 33, 255, 0x7FFF, 0xFFFF, 0x10000, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, (1UL << 32) + 1,
        1UL << 40, 1UL << 60, 1UL << 61, 1UL << 62, long.MaxValue, 1UL << 63, ulong.MaxValue - 31, ulong.MaxValue - 1, ulong.MaxValue,
    ];

    /// <summary>One to four damages of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="donor">Bytes of another file, for splices.</param>
    public byte[] Mutate(FuzzFile file, byte[] donor)
    {
        if (file.Metadata is not null && random.Next(8) > 0) return new MetadataMutator(random).Mutate(file.Metadata);
        var bytes = file.Bytes.ToArray();
        var count = 1 + Math.Min(random.Next(4), random.Next(4));
        for (var index = 0; index < count && bytes.Length > 0; index++)
        {
            bytes = file.Kind switch
            {
                FileKind.Json when random.Next(4) > 0 => new JsonMutator(random).Mutate(bytes),
                FileKind.Safetensors when random.Next(4) > 0 => MutateHeader(bytes),
                _ => MutateBytes(bytes, donor),
            };
        }
        return bytes;
    }

    /// <summary>Damages the JSON of a safetensors header and mostly sets its length right, so that the JSON is read.</summary>
    private byte[] MutateHeader(byte[] bytes)
    {
        if (bytes.Length < sizeof(ulong)) return bytes;
        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (length > (ulong)(bytes.Length - sizeof(ulong))) return bytes;
        var header = new JsonMutator(random).Mutate(bytes[sizeof(ulong)..(sizeof(ulong) + (int)length)]);
        byte[] result = [.. bytes.AsSpan(0, sizeof(ulong)), .. header, .. bytes.AsSpan(sizeof(ulong) + (int)length)];
        if (random.Next(16) > 0) BinaryPrimitives.WriteUInt64LittleEndian(result, (ulong)header.Length);
        return result;
    }

    private byte[] MutateBytes(byte[] bytes, byte[] donor)
    {
        switch (random.Next(10))
        {
            case 0:
                bytes[Position(bytes)] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[Position(bytes)] = (byte)random.Next(256);
                return bytes;
            case 2:
                return bytes[..random.Next(bytes.Length)];
            case 3:
                return Overwrite(bytes, FieldPosition(bytes), EdgeValues[random.Next(EdgeValues.Length)]);
            case 4:
                return Overwrite(bytes, Position(bytes), EdgeValues[random.Next(EdgeValues.Length)]);
            case 5:
                return Nudge(bytes, FieldPosition(bytes));
            case 6:
                var (from, copied) = Range(bytes);
                var to = random.Next(2) == 0 ? from + copied : Position(bytes);
                return [.. bytes.AsSpan(0, to), .. bytes.AsSpan(from, copied), .. bytes.AsSpan(to)];
            case 7:
                var (start, removed) = Range(bytes);
                return [.. bytes.AsSpan(0, start), .. bytes.AsSpan(start + removed)];
            case 8:
                var (at, filled) = Range(bytes);
                bytes.AsSpan(at, filled).Fill(random.Next(2) == 0 ? (byte)0 : (byte)0xFF);
                return bytes;
            default:
                var (source, length) = Range(donor);
                var target = Position(bytes);
                donor.AsSpan(source, Math.Min(length, bytes.Length - target)).CopyTo(bytes.AsSpan(target));
                return bytes;
        }
    }

    /// <summary>A position in the file, nearer to the start, where headers are, than to the end.</summary>
    private int Position(byte[] bytes) => (int)(bytes.Length * Math.Pow(random.NextDouble(), 2));

    private (int Start, int Length) Range(byte[] bytes)
    {
        var start = Position(bytes);
        return (start, random.Next(1, Math.Min(bytes.Length - start, 1 << random.Next(1, 12)) + 1));
    }

    /// <summary>The start of what looks like a count, length or type: a small number followed by zero bytes.</summary>
    private int FieldPosition(byte[] bytes)
    {
        var start = Position(bytes);
        for (var at = start; at + sizeof(uint) <= bytes.Length; at++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)) is > 0 and < 1 << 16 && (at == 0 || bytes[at - 1] != 0 || at == start)) return at;
        }
        return start;
    }

    private byte[] Overwrite(byte[] bytes, int at, ulong value)
    {
        Span<byte> field = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(field, value);
        var width = Math.Min(1 << random.Next(4), bytes.Length - at);
        field[..width].CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private byte[] Nudge(byte[] bytes, int at)
    {
        if (bytes.Length - at < sizeof(uint)) return bytes;
        var field = bytes.AsSpan(at, sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(field, BinaryPrimitives.ReadUInt32LittleEndian(field) + (uint)random.Next(-40, 41));
        return bytes;
    }
}
