using FastLayers.Fuzz;
using FastLayers.Kernels.Formats;
using FastLayers.Loading;

namespace FastLayers.Tests.Loading;

public sealed class GgufFileTests : IDisposable
{
    private static readonly string References = Path.Combine(AppContext.BaseDirectory, "data", "llama.cpp", "models");

    private readonly ModelFolder _folder = new();

    public static TheoryData<string> ReferenceNames =>
        [.. Directory.GetFiles(References, "*.gguf").Select(path => Path.GetFileName(path)).Where(name => !name.Contains("IQ3")).Order()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(ReferenceNames))]
    public void Rewriting_a_file_of_llama_cpp_gives_its_bytes(string name)
    {
        var path = Path.Combine(References, name);
        using var model = ModelFile.Open(path);
        Assert.NotEmpty(model.Tensors);
        var writer = new GgufWriter();
        writer.SetMetadata(model.Metadata);
        foreach (var tensor in model.Tensors) writer.AddTensor(model, tensor);
        Assert.Equal(File.ReadAllBytes(path), GgufSeeds.Bytes(writer));
    }

    [Fact]
    public void A_file_of_llama_cpp_has_the_stated_shapes_and_formats()
    {
        using var model = ModelFile.Open(Path.Combine(References, "tiny64-Q4_0.gguf"));
        Assert.Equal("llama", model.Metadata.GetString("general.architecture"));
        Assert.Equal(64, model.Metadata.GetInteger("llama.embedding_length"));
        Assert.Equal(320, model.Metadata.GetArray<string>("tokenizer.ggml.tokens")!.Length);

        var embedding = model.GetTensor("token_embd.weight");
        Assert.Equal([320, 64], embedding.Shape);
        Assert.Equal((320, 64), (embedding.Rows, embedding.Columns));
        Assert.Same(Format.Q4_0, embedding.Format);
        Assert.Equal(320 * Format.Q4_0.RowBytes(64), embedding.ByteLength);

        var down = model.GetTensor("blk.0.ffn_down.weight"); // rows of 176 are no multiple of 32
        Assert.Equal([64, 176], down.Shape);
        Assert.Same(Format.F16, down.Format);
    }

    [Fact]
    public void A_codebook_format_is_refused_by_name()
    {
        var path = Path.Combine(References, "tiny256-IQ3_S.gguf");
        var refusal = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path));
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("token_embd.weight", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("IQ3_S", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_value_type_comes_back_with_its_type()
    {
        using var model = ModelFile.Open(_folder.Write("model.gguf", GgufSeeds.EveryType()));
        var values = model.Metadata.Values;
        Assert.Equal((byte)200, values["a.u8"]);
        Assert.Equal((sbyte)-5, values["a.i8"]);
        Assert.Equal((ushort)60_000, values["a.u16"]);
        Assert.Equal((short)-30_000, values["a.i16"]);
        Assert.Equal(4_000_000_000u, values["a.u32"]);
        Assert.Equal(-7, values["a.i32"]);
        Assert.Equal(1UL << 63, values["a.u64"]);
        Assert.Equal(-(1L << 40), values["a.i64"]);
        Assert.Equal(1e-5f, values["a.f32"]);
        Assert.Equal(Math.PI, values["a.f64"]);
        Assert.Equal(true, values["a.flag"]);
        Assert.Equal<byte[]>([1, 2, 3], Assert.IsType<byte[]>(values["b.u8"]));
        Assert.Equal([-1, 2], Assert.IsType<sbyte[]>(values["b.i8"]));
        Assert.Equal<ushort[]>([1, 2], Assert.IsType<ushort[]>(values["b.u16"]));
        Assert.Equal<short[]>([-1, 2], Assert.IsType<short[]>(values["b.i16"]));
        Assert.Equal<uint[]>([1, 2], Assert.IsType<uint[]>(values["b.u32"]));
        Assert.Equal<int[]>([-1, 2], Assert.IsType<int[]>(values["b.i32"]));
        Assert.Equal<ulong[]>([1, ulong.MaxValue], Assert.IsType<ulong[]>(values["b.u64"]));
        Assert.Equal<long[]>([-1, 2], Assert.IsType<long[]>(values["b.i64"]));
        Assert.Equal<float[]>([0.5f, float.NaN], Assert.IsType<float[]>(values["b.f32"]));
        Assert.Equal<double[]>([0.5], Assert.IsType<double[]>(values["b.f64"]));
        Assert.Equal<bool[]>([true, false], Assert.IsType<bool[]>(values["b.flags"]));
        Assert.Equal<string[]>(["", "a", "größe", "😀"], Assert.IsType<string[]>(values["b.texts"]));
        Assert.Empty(Assert.IsType<string[]>(values["b.none"]));
        Assert.Equal("general.architecture", values.Keys.First());
    }

    [Fact]
    public void Integers_and_numbers_are_read_from_any_number_type()
    {
        using var model = ModelFile.Open(_folder.Write("model.gguf", GgufSeeds.EveryType()));
        Assert.Equal<long[]>([1, 2, 3], model.Metadata.GetIntegers("b.u8")!);
        Assert.Equal<long[]>([-1, 2], model.Metadata.GetIntegers("b.i64")!);
        Assert.Equal<double[]>([-1, 2], model.Metadata.GetNumbers("b.i16")!);
        Assert.Equal<double[]>([0.5, double.NaN], model.Metadata.GetNumbers("b.f32")!);
        Assert.Empty(model.Metadata.GetNumbers("b.none")!);
        Assert.Null(model.Metadata.GetIntegers("absent"));
        Assert.Throws<InvalidDataException>(() => model.Metadata.GetIntegers("b.u64")); // 2^64-1
        Assert.Throws<InvalidDataException>(() => model.Metadata.GetIntegers("b.f64"));
        Assert.Throws<InvalidDataException>(() => model.Metadata.GetNumbers("b.flags"));
    }

    [Fact]
    public void Shapes_are_slowest_axis_first_up_to_four_axes()
    {
        using var model = ModelFile.Open(_folder.Write("model.gguf", GgufSeeds.EveryType()));
        var conv = model.GetTensor("blk.0.conv");
        Assert.Equal([2, 1, 3, 32], conv.Shape);
        Assert.Equal(6, conv.Rows);
        Assert.Equal(6 * 34, conv.ByteLength);
        Assert.Equal([8], model.GetTensor("output_norm.weight").Shape);
        Assert.Equal(1, model.GetTensor("output_norm.weight").Rows);
    }

    [Fact]
    public void A_stated_alignment_moves_the_data()
    {
        using var model = ModelFile.Open(_folder.Write("model.gguf", GgufSeeds.Aligned()));
        Assert.Equal(64, model.Metadata.GetInteger("general.alignment"));
        Assert.All(model.Tensors, tensor => Assert.Equal(0, tensor.Offset % 64));
        Assert.Equal(Enumerable.Range(0, 12).Select(index => (byte)index), model.Bytes(model.GetTensor("b")).ToArray());
    }

    [Fact]
    public void Version_2_is_read_as_version_3()
    {
        var bytes = GgufSeeds.EveryType();
        bytes[4] = 2;
        using var model = new GgufFile(_folder.Write("model.gguf", bytes));
        Assert.Equal(2, model.Version);
        Assert.Equal(7, model.Tensors.Count);
    }

    [Fact]
    public void A_file_is_known_by_its_magic_whatever_its_name()
    {
        using var model = ModelFile.Open(_folder.Write("sha256-0123", GgufSeeds.Aligned()));
        Assert.IsType<GgufFile>(model);
    }

    [Fact]
    public void Tensors_of_plain_integers_are_listed_and_refused_when_asked_for()
    {
        var bytes = GgufBytes.Start(tensorCount: 2).Tensor("ids", [3], 26, 0).Tensor("w", [4], 0, 32).Data(48).ToArray();
        using var model = ModelFile.Open(_folder.Write("model.gguf", bytes));
        Assert.Equal("w", Assert.Single(model.Tensors).Name);
        Assert.Equal("I32", Assert.Single(model.UnsupportedTensors).ElementType);
        Assert.False(model.TryGetTensor("ids", out _));
        Assert.Contains("'ids': expected a tensor that layers can read, found I32 [3]", Assert.Throws<InvalidDataException>(() => model.GetTensor("ids")).Message, StringComparison.Ordinal);
        Assert.Contains("'v': expected a tensor of this name", Assert.Throws<InvalidDataException>(() => model.GetTensor("v")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Offsets_reach_beyond_4_GiB_without_reading_what_lies_between()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The file would not be sparse here.");
        const long Far = 5L << 30;
        var path = _folder.Write("model.gguf", GgufBytes.Start(tensorCount: 2).Tensor("wide", [1UL << 30], 0, 0).Tensor("far", [1], 0, Far).Data(0).ToArray());
        using (var stream = File.OpenWrite(path))
        {
            var dataStart = stream.Length;
            stream.Position = dataStart + Far;
            stream.Write(BitConverter.GetBytes(1.5f));
        }
        using var model = ModelFile.Open(path);
        Assert.Equal(1.5f, *(float*)model.Pointer(model.GetTensor("far")));
        Assert.Equal(4L << 30, model.GetTensor("wide").ByteLength);
        Assert.Equal(0, model.Pointer(model.GetTensor("wide"))[(4L << 30) - 1]);
        Assert.Contains("'wide'", Assert.Throws<NotSupportedException>(() => { model.Bytes(model.GetTensor("wide")); }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_given_out_after_closing_or_for_a_tensor_of_another_file()
    {
        var model = ModelFile.Open(_folder.Write("a.gguf", GgufSeeds.EveryType()));
        using var other = ModelFile.Open(_folder.Write("b.gguf", GgufSeeds.Aligned()));
        var tensor = model.GetTensor("token_embd.weight");
        Assert.Throws<ArgumentException>(() => { other.Bytes(tensor); });
        Assert.Throws<ArgumentException>(() => { model.Bytes(tensor with { ByteLength = 1 << 20 }); });
        Assert.Throws<ArgumentException>(() => { model.Bytes(tensor with { Offset = -1 }); });
        model.Dispose();
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { model.Bytes(tensor); });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(20_000)]
    public void A_scale_that_is_not_finite_is_found_with_its_block(int badBlock)
    {
        const int Rows = 30_000;
        var blocks = new byte[Rows * 18];
        var writer = new GgufWriter();
        writer.AddTensor("w", [Rows, 32], Format.Q4_0, (ReadOnlyMemory<byte>)blocks);
        writer.AddTensor("finite", [2, 32], Format.Q4_0, new byte[36]);
        BitConverter.TryWriteBytes(blocks.AsSpan(badBlock * 18), Half.PositiveInfinity);
        using var model = ModelFile.Open(_folder.Write("model.gguf", GgufSeeds.Bytes(writer)));
        model.CheckFinite(model.GetTensor("finite"));
        var refusal = Assert.Throws<InvalidDataException>(() => model.CheckFinite(model.GetTensor("w")));
        Assert.Contains($"{model.Path}: tensor 'w' block {badBlock}: expected finite scales", refusal.Message, StringComparison.Ordinal);
    }
}
