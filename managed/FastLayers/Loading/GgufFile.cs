using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using FastLayers.Kernels.Formats;

namespace FastLayers.Loading;

/// <summary>A GGUF file, version 2 or 3, little-endian: header with metadata and tensor list, then aligned tensor data.</summary>
public sealed class GgufFile : ModelFile
{
    /// <summary>The alignment of tensor data where <c>general.alignment</c> does not say otherwise.</summary>
    internal const uint DefaultAlignment = 32;

    internal const string AlignmentKey = "general.alignment";

    /// <summary>GGUF tensors have one to four axes.</summary>
    internal const int MostAxes = 4;

    /// <summary>The shortest metadata entry: key length, type number, value.</summary>
    private const int LeastEntryBytes = sizeof(ulong) + sizeof(uint) + 1;

    /// <summary>The shortest tensor entry: name length, axis count, one axis, type number, offset.</summary>
    private const int LeastTensorBytes = sizeof(ulong) + sizeof(uint) + sizeof(ulong) + sizeof(uint) + sizeof(ulong);

    /// <summary>The most metadata entries; real files have dozens.</summary>
    private const int MostEntries = 1 << 20;

    private readonly MappedFile _file;

    /// <summary>Opens the file and reads its header.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The content is not a valid GGUF file; the message names file, place, expected and found.</exception>
    public GgufFile(string path) : base(path)
    {
        _file = Map(path);
        try
        {
            ReadHeader(new GgufReader(_file));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The version that the file states: 2 or 3.</summary>
    public int Version { get; private set; }

    private void ReadHeader(GgufReader reader)
    {
        CheckMagic(reader.Read<uint>("magic"));
        Version = CheckVersion(reader.Read<uint>("version"));
        var tensorCount = reader.Read<ulong>("tensor count");
        var entryCount = reader.ReadCount("metadata count", LeastEntryBytes, MostEntries);
        Metadata = new ModelMetadata(Path, ReadMetadata(reader, entryCount));
        CheckUnsplit();

        var most = (ulong)((_file.Length - reader.Position) / LeastTensorBytes);
        if (tensorCount > most) throw Refusal.Of(Path, "tensor count", $"at most {most} in the bytes after the metadata", $"{tensorCount}");
        ReadTensors(reader, (int)tensorCount, CheckAlignment());
    }

    private void CheckMagic(uint magic)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, magic);
        if (bytes.SequenceEqual("GGUF"u8)) return;
        var found = bytes.SequenceEqual("FUGG"u8) ? "'FUGG', a big-endian file"
            : bytes.SequenceEqual("lmgg"u8) || bytes.SequenceEqual("fmgg"u8) || bytes.SequenceEqual("tjgg"u8) ? "the magic of a GGML file from before GGUF"
            : Refusal.Quote(Encoding.Latin1.GetString(bytes));
        throw Refusal.Of(Path, "magic", "'GGUF'", found);
    }

    private int CheckVersion(uint version)
    {
        if (version is 2 or 3) return (int)version;
        var found = version == 1 ? "version 1, which has 32-bit lengths"
            : BinaryPrimitives.ReverseEndianness(version) is 1 or 2 or 3 ? "a big-endian file"
            : $"{version}";
        throw Refusal.Of(Path, "version", "2 or 3, little-endian", found);
    }

    private Dictionary<string, object> ReadMetadata(GgufReader reader, int count)
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var index = 0; index < count; index++)
        {
            var key = reader.ReadText("metadata key");
            var place = $"metadata {Refusal.Quote(key)}";
            if (!values.TryAdd(key, reader.ReadValue(place))) throw Refusal.Of(Path, place, "a key that occurs once", "a second entry of that key");
        }
        return values;
    }

    /// <summary>A part of a split model lacks most of its tensors; saying so at once beats a missing tensor later.</summary>
    private void CheckUnsplit()
    {
        if (Metadata.GetInteger("split.count", 1) is var parts and > 1)
            throw Refusal.Of(Path, "metadata 'split.count'", "a whole model in one file ('llama-gguf-split --merge FIRST-PART OUTPUT' joins the parts)", $"part {Metadata.GetInteger("split.no", 0) + 1} of {parts}");
    }

    private uint CheckAlignment()
    {
        if (!Metadata.Values.TryGetValue(AlignmentKey, out var value)) return DefaultAlignment;
        return value is uint alignment && BitOperations.IsPow2(alignment)
            ? alignment
            : throw Refusal.Of(Path, $"metadata '{AlignmentKey}'", "a 32-bit unsigned power of two", $"{value.GetType().Name} {value}");
    }

    private void ReadTensors(GgufReader reader, int count, uint alignment)
    {
        var tensors = new List<RawTensor>();
        for (var index = 0; index < count; index++) tensors.Add(ReadTensor(reader, reader.ReadText("tensor name")));

        var dataStart = (reader.Position + alignment - 1) / alignment * alignment;
        var ranges = new ByteRanges(Path, "data section", Math.Max(0, _file.Length - dataStart));
        foreach (var tensor in tensors)
        {
            if (tensor.Offset % alignment != 0)
                throw Refusal.Of(Path, $"{Refusal.Tensor(tensor.Name)} offset", $"a multiple of {alignment}", $"{tensor.Offset}");
            ranges.Add(tensor.Name, tensor.Offset, tensor.ByteLength);
            if (tensor.Format is { } format)
                Add(new TensorEntry(tensor.Name, tensor.Shape, format, Path, dataStart + (long)tensor.Offset, (long)tensor.ByteLength));
            else
                Add(new UnsupportedTensor(tensor.Name, tensor.ElementType, tensor.Shape, Path, "an element type that no layer reads"));
        }
        ranges.CheckDisjoint();
    }

    private RawTensor ReadTensor(GgufReader reader, string name)
    {
        var place = Refusal.Tensor(name);
        var axes = reader.Read<uint>(place);
        if (axes is 0 or > MostAxes) throw Refusal.Of(Path, $"{place} rank", $"1 to {MostAxes} axes", $"{axes}");
        var shape = new long[axes];
        Int128 valueCount = 1;
        for (var axis = shape.Length - 1; axis >= 0; axis--) // the file writes the fastest axis first
        {
            var length = reader.Read<ulong>(place);
            if (length is 0 or > long.MaxValue) throw Refusal.Of(Path, $"{place} shape", "axes of 1 to 2^63-1", $"{length}");
            shape[axis] = (long)length;
            valueCount *= shape[axis];
            if (valueCount > long.MaxValue) throw Refusal.Of(Path, $"{place} shape", "fewer than 2^63 values", "a product of axes beyond that");
        }

        var type = reader.Read<uint>(place);
        var offset = reader.Read<ulong>(place);
        if (PlainType(type) is var (typeName, bytes))
            return new RawTensor(name, shape, null, typeName, offset, (UInt128)valueCount * (uint)bytes);
        var format = FindFormat(type, place);
        if (shape[^1] % format.BlockLength != 0)
            throw Refusal.Of(Path, $"{place} columns", $"a multiple of {format.BlockLength}, the block length of {format.Name}", $"{shape[^1]}");
        return new RawTensor(name, shape, format, format.Name, offset, (UInt128)(valueCount / format.BlockLength) * (uint)format.BlockBytes);
    }

    /// <summary>The number types that a file may hold beside weights.</summary>
    private static (string Name, int Bytes)? PlainType(uint type) => type switch
    {
        24 => ("I8", 1),
        25 => ("I16", 2),
        26 => ("I32", 4),
        27 => ("I64", 8),
        28 => ("F64", 8),
        _ => null,
    };

    private Format FindFormat(uint type, string place)
    {
        try
        {
            return Format.FromTypeId((int)Math.Min(type, int.MaxValue));
        }
        catch (Exception refusal) when (refusal is NotSupportedException or InvalidDataException)
        {
            throw Refusal.Of(Path, $"{place} type", "a storage format that can be read", $"type {type} ({refusal.Message.TrimEnd('.')})");
        }
    }

    private readonly record struct RawTensor(string Name, long[] Shape, Format? Format, string ElementType, ulong Offset, UInt128 ByteLength);
}
