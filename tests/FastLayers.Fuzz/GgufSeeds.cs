using System.Buffers.Binary;
using FastLayers.Kernels.Formats;
using FastLayers.Loading;

namespace FastLayers.Fuzz;

/// <summary>Small valid GGUF files that together use every value type, rank and alignment.</summary>
public static class GgufSeeds
{
    private const int VersionOffset = 4;

    /// <summary>One value and one array of every type.</summary>
    private static readonly Dictionary<string, object> EveryValue = new()
    {
        ["a.u8"] = (byte)200,
        ["a.i8"] = (sbyte)-5,
        ["a.u16"] = (ushort)60_000,
        ["a.i16"] = (short)-30_000,
        ["a.u32"] = 4_000_000_000u,
        ["a.i32"] = -7,
        ["a.u64"] = 1UL << 63,
        ["a.i64"] = -(1L << 40),
        ["a.f32"] = 1e-5f,
        ["a.f64"] = Math.PI,
        ["a.flag"] = true,
        ["b.u8"] = new byte[] { 1, 2, 3 },
        ["b.i8"] = new sbyte[] { -1, 2 },
        ["b.u16"] = new ushort[] { 1, 2 },
        ["b.i16"] = new short[] { -1, 2 },
        ["b.u32"] = new uint[] { 1, 2 },
        ["b.i32"] = new[] { -1, 2 },
        ["b.u64"] = new ulong[] { 1, ulong.MaxValue },
        ["b.i64"] = new long[] { -1, 2 },
        ["b.f32"] = new[] { 0.5f, float.NaN },
        ["b.f64"] = new[] { 0.5 },
        ["b.flags"] = new[] { true, false },
        ["b.texts"] = new[] { "", "a", "größe", "😀" },
        ["b.none"] = Array.Empty<string>(),
    };

    public static FuzzSeed[] Make() =>
    [
        Seed("every-type", EveryType()),
        Seed("aligned-64", Aligned()),
        Seed("version-2", VersionTwo()),
        Seed("vocabulary", Vocabulary()),
        Seed("many-tensors", ManyTensors()),
    ];

    private static FuzzSeed Seed(string name, byte[] bytes) => new(name, "model.gguf", [new FuzzFile("model.gguf", bytes, FileKind.Binary)]);

    public static byte[] EveryType()
    {
        var writer = new GgufWriter();
        writer.SetMetadata("general.architecture", "llama");
        foreach (var (key, value) in EveryValue) writer.SetMetadata(key, value);
        AddTensor(writer, "token_embd.weight", [4, 8], Format.F32);
        AddTensor(writer, "output_norm.weight", [8], Format.F32);
        AddTensor(writer, "blk.0.attn_q.weight", [2, 64], Format.Q4_0);
        AddTensor(writer, "blk.0.ffn_up.weight", [1, 256], Format.Q4_K);
        AddTensor(writer, "blk.0.conv", [2, 1, 3, 32], Format.Q8_0);
        AddTensor(writer, "blk.0.half", [3, 2, 5], Format.F16);
        AddTensor(writer, "blk.0.fp4", [2, 32], Format.MXFP4);
        return Bytes(writer);
    }

    public static byte[] Aligned()
    {
        var writer = new GgufWriter(alignment: 64);
        writer.SetMetadata("general.architecture", "bert");
        AddTensor(writer, "a", [3], Format.F32);
        AddTensor(writer, "b", [2, 3], Format.BF16);
        AddTensor(writer, "c", [1, 256], Format.TQ1_0);
        return Bytes(writer);
    }

    private static byte[] VersionTwo()
    {
        var bytes = Aligned();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(VersionOffset), 2);
        return bytes;
    }

    private static byte[] Vocabulary()
    {
        var writer = new GgufWriter();
        writer.SetMetadata("tokenizer.ggml.model", "llama");
        writer.SetMetadata("tokenizer.ggml.tokens", Enumerable.Range(0, 300).Select(index => $"▁token{index}").ToArray());
        writer.SetMetadata("tokenizer.ggml.scores", new float[300]);
        writer.SetMetadata("tokenizer.ggml.token_type", new int[300]);
        return Bytes(writer);
    }

    private static byte[] ManyTensors()
    {
        var writer = new GgufWriter();
        for (var index = 0; index < 40; index++) AddTensor(writer, $"blk.{index}.w", [1 + index % 3, 32], index % 2 == 0 ? Format.Q5_1 : Format.F16);
        return Bytes(writer);
    }

    public static byte[] Bytes(GgufWriter writer)
    {
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }

    private static void AddTensor(GgufWriter writer, string name, long[] shape, Format format)
    {
        var count = shape.Aggregate(1L, (product, length) => product * length);
        var bytes = new byte[format.RowBytes(shape[^1]) * (count / shape[^1])];
        for (var index = 0; index < bytes.Length; index++) bytes[index] = (byte)(index & 0x3F); // finite, read as a scale of any type
        writer.AddTensor(name, shape, format, (ReadOnlyMemory<byte>)bytes);
    }
}
