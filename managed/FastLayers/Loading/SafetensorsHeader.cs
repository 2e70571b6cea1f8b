using System.Text.Json;
using FastLayers.Kernels.Formats;

namespace FastLayers.Loading;

/// <summary>The header of one safetensors file: 64-bit length, JSON of tensors, then the bytes that the tensors tile without holes.</summary>
internal sealed class SafetensorsHeader
{
    private const string TextsKey = "__metadata__";
    private const int LengthBytes = sizeof(ulong);

    /// <summary>A shape of more axes is refused, not only unsupported: no tool writes one.</summary>
    private const int MostListedAxes = 64;

    /// <summary>Layers read tensors of up to four axes, as in GGUF.</summary>
    private const int MostAxes = 4;

    private readonly MappedFile _file;
    private readonly long _dataStart;
    private readonly ByteRanges _ranges;

    private SafetensorsHeader(MappedFile file, long dataStart)
    {
        _file = file;
        _dataStart = dataStart;
        _ranges = new ByteRanges(file.Path, "data section", file.Length - dataStart);
    }

    /// <summary>The texts of <c>__metadata__</c>.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>The tensors that layers can read.</summary>
    public List<TensorEntry> Tensors { get; } = [];

    /// <summary>All others.</summary>
    public List<UnsupportedTensor> Unsupported { get; } = [];

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="InvalidDataException">It is not valid.</exception>
    public static SafetensorsHeader Read(MappedFile file)
    {
        if (file.Length < LengthBytes) throw Refusal.Of(file.Path, "length", $"at least {LengthBytes} bytes", $"{file.Length}");
        var length = BitConverter.ToUInt64(file.Bytes(0, LengthBytes));
        var most = (ulong)Math.Min(file.Length - LengthBytes, JsonContent.LongestBytes);
        if (length > most) throw Refusal.Of(file.Path, "header length", $"at most {most} bytes", $"{length}");
        var json = file.Bytes(LengthBytes, (int)length).ToArray();
        return JsonContent.Parse(file.Path, "header", json, root =>
        {
            var header = new SafetensorsHeader(file, LengthBytes + (long)length);
            header.ReadMembers(root);
            return header;
        });
    }

    private void ReadMembers(JsonElement root)
    {
        foreach (var member in root.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Object)
                throw Refusal.Of(_file.Path, Refusal.Quote(member.Name), "a JSON object", $"a JSON {member.Value.ValueKind}");
            if (member.NameEquals(TextsKey)) ReadTexts(member.Value);
            else ReadTensor(member.Name, member.Value);
        }
        _ranges.CheckTiled();
        Tensors.Sort((a, b) => a.Offset.CompareTo(b.Offset));
    }

    private void ReadTexts(JsonElement texts)
    {
        foreach (var text in texts.EnumerateObject())
        {
            if (text.Value.ValueKind != JsonValueKind.String)
                throw Refusal.Of(_file.Path, $"metadata {Refusal.Quote(text.Name)}", "a text", $"a JSON {text.Value.ValueKind}");
            Texts.Add(text.Name, text.Value.GetString()!);
        }
    }

    private void ReadTensor(string name, JsonElement members)
    {
        var place = Refusal.Tensor(name);
        var elementType = Member(members, place, "dtype", JsonValueKind.String).GetString()!;
        var shape = Integers(Member(members, place, "shape", JsonValueKind.Array), $"{place} shape");
        var offsets = Integers(Member(members, place, "data_offsets", JsonValueKind.Array), $"{place} data_offsets");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw Refusal.Of(_file.Path, $"{place} data_offsets", "a start and an end not before it", Refusal.Shape(offsets));
        var byteLength = offsets[1] - offsets[0];
        var valueCount = CountValues(shape, place);
        if (ElementBits(elementType) is { } bits && (Int128)valueCount * bits != (Int128)byteLength * 8)
            throw Refusal.Of(_file.Path, $"{place} data_offsets", $"{((UInt128)valueCount * (uint)bits + 7) / 8} bytes for {elementType} {Refusal.Shape(shape)}", $"{byteLength}");
        _ranges.Add(name, (ulong)offsets[0], (ulong)byteLength);

        if (Refused(elementType, shape, valueCount) is { } reason)
            Unsupported.Add(new UnsupportedTensor(name, elementType, shape, _file.Path, reason));
        else
            Tensors.Add(new TensorEntry(name, shape.Length == 0 ? [1] : shape, FloatFormat(elementType)!, _file.Path, _dataStart + offsets[0], byteLength));
    }

    private static string? Refused(string elementType, long[] shape, long valueCount) =>
        FloatFormat(elementType) is null ? "an element type that no layer reads"
        : shape.Length > MostAxes ? $"more than {MostAxes} axes"
        : valueCount == 0 ? "a tensor without values"
        : null;

    private long CountValues(long[] shape, string place)
    {
        Int128 count = 1;
        foreach (var length in shape)
        {
            count *= length;
            if (count > long.MaxValue) throw Refusal.Of(_file.Path, $"{place} shape", "fewer than 2^63 values", Refusal.Shape(shape));
        }
        return (long)count;
    }

    private JsonElement Member(JsonElement members, string place, string name, JsonValueKind kind)
    {
        if (!members.TryGetProperty(name, out var value)) throw Refusal.Of(_file.Path, place, $"'{name}'", "a tensor without it");
        return value.ValueKind == kind ? value : throw Refusal.Of(_file.Path, $"{place} {name}", $"a JSON {kind}", $"a JSON {value.ValueKind}");
    }

    private long[] Integers(JsonElement array, string place)
    {
        var count = array.GetArrayLength();
        if (count > MostListedAxes) throw Refusal.Of(_file.Path, place, $"at most {MostListedAxes} numbers", $"{count}");
        var values = new long[count];
        var index = 0;
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out values[index]) || values[index] < 0)
                throw Refusal.Of(_file.Path, place, "integers from 0 to 2^63-1", Refusal.Quote(element.GetRawText()));
            index++;
        }
        return values;
    }

    private static Format? FloatFormat(string elementType) => elementType switch
    {
        "F32" => Format.F32,
        "F16" => Format.F16,
        "BF16" => Format.BF16,
        _ => null,
    };

    /// <summary>The size of an element, or null for a type that is younger than this list.</summary>
    private static int? ElementBits(string elementType) => elementType switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "U16" or "I16" or "F16" or "BF16" => 16,
        "U32" or "I32" or "F32" => 32,
        "U64" or "I64" or "F64" or "C64" => 64,
        _ => null,
    };
}
