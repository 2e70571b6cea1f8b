using FastLayers.Kernels.Formats;
using FastLayers.Loading;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Synthesis;

public sealed class SyntheticModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("synthetic").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("tiny64", "ffn=176,tied=false,deviation=0.15", 1001, "f32,f16,bf16,q4_0,q4_1,q5_0,q5_1,q8_0")]
    [InlineData("tiny64t", "ffn=192,tied=true,deviation=0.15", 1002, "f32,f16,bf16,q4_0,q4_1,q5_0,q5_1,q8_0")]
    public void Same_seed_gives_the_tensors_of_the_reference_models(string family, string shape, ulong seed, string formats)
    {
        foreach (var format in formats.Split(','))
        {
            var options = SyntheticModelOptions.Parse("layers=2,width=64,heads=4,kv-heads=2,vocabulary=320,context=256," + shape, "llama", format, seed);
            using var written = Write(options, format);
            var suffix = format == "f32" ? format : format.ToUpperInvariant();
            using var expected = ModelFile.Open(TestModels.LlamaCpp($"{family}-{suffix}"));
            Assert.Equal(expected.Tensors.Count, written.Tensors.Count);
            foreach (var tensor in expected.Tensors)
            {
                Assert.True(written.TryGetTensor(tensor.Name, out var found), tensor.Name);
                Assert.Equal(tensor.Shape, found.Shape);
                Assert.Equal(tensor.Format, found.Format);
                Assert.True(expected.Bytes(tensor).SequenceEqual(written.Bytes(found)), $"{family} {format} {tensor.Name}");
            }
            foreach (var (key, value) in expected.Metadata.Values.Where(pair => pair.Key.StartsWith("llama.", StringComparison.Ordinal)))
                Assert.Equal(value, written.Metadata.Values[key]);
        }
    }

    [Fact]
    public void Bytes_do_not_depend_on_the_number_of_threads()
    {
        var options = SyntheticModelOptions.Parse("layers=1,width=256,ffn=1024,heads=4,vocabulary=3000", "llama", "q4_k");
        SyntheticModel.Write(PathOf("one"), options, null, threads: 1, CancellationToken.None);
        SyntheticModel.Write(PathOf("five"), options, null, threads: 5, CancellationToken.None);
        Assert.Equal(File.ReadAllBytes(PathOf("one")), File.ReadAllBytes(PathOf("five")));
    }

    [Fact]
    public void Another_seed_gives_other_weights()
    {
        using var first = Write(new SyntheticModelOptions { Seed = 1 }, "1");
        using var second = Write(new SyntheticModelOptions { Seed = 2 }, "2");
        Assert.False(first.Bytes(first.GetTensor("blk.0.attn_q.weight")).SequenceEqual(second.Bytes(second.GetTensor("blk.0.attn_q.weight"))));
    }

    [Fact]
    public void Canceling_leaves_no_file()
    {
        using var source = new CancellationTokenSource();
        var progress = new Recorder(_ => source.Cancel());
        Assert.ThrowsAny<OperationCanceledException>(() => SyntheticModel.Write(PathOf("x"), new SyntheticModelOptions(), progress, source.Token));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Progress_rises_to_one()
    {
        var progress = new Recorder(_ => { });
        SyntheticModel.Write(PathOf("x"), new SyntheticModelOptions(), progress, TestContext.Current.CancellationToken);
        Assert.Equal(progress.Shares.Order(), progress.Shares);
        Assert.Equal(1, progress.Shares[^1], 12);
    }

    [Fact]
    public void Rows_that_are_not_whole_blocks_are_stored_as_F16()
    {
        using var file = Write(SyntheticModelOptions.Parse("width=64,ffn=176,heads=4", "llama", "q4_0"), "x");
        Assert.Equal(Format.F16, file.GetTensor("blk.0.ffn_down.weight").Format);
        Assert.Equal(Format.Q4_0, file.GetTensor("blk.0.ffn_up.weight").Format);
        Assert.Equal(Format.F32, file.GetTensor("blk.0.ffn_norm.weight").Format);
    }

    [Theory]
    [MemberData(nameof(WeightFormats))]
    public void Every_weight_format_decodes_to_about_the_same_noise(string format)
    {
        const string Shape = "layers=1,width=256,ffn=256,heads=4,vocabulary=320";
        using var exact = Write(SyntheticModelOptions.Parse(Shape, "llama", "f32"), "f32");
        using var coded = Write(SyntheticModelOptions.Parse(Shape, "llama", format), "coded");
        var (expected, found) = (Decode(exact, "blk.0.attn_q.weight"), Decode(coded, "blk.0.attn_q.weight"));
        Assert.Equal(format, coded.GetTensor("blk.0.attn_q.weight").Format.Name);
        double product = 0, expectedSquares = 0, foundSquares = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            product += expected[i] * (double)found[i];
            expectedSquares += expected[i] * (double)expected[i];
            foundSquares += found[i] * (double)found[i];
        }
        Assert.InRange(product / Math.Sqrt(expectedSquares * foundSquares), 0.65, 1.0001);
    }

    public static TheoryData<string> WeightFormats => [.. Format.All.Where(format => format != Format.Q8_1 && format != Format.Q8_K).Select(format => format.Name)];

    private static float[] Decode(ModelFile file, string name)
    {
        var entry = file.GetTensor(name);
        var values = new float[entry.Rows * entry.Columns];
        entry.Format.Decode(file.Bytes(entry), values);
        return values;
    }

    private ModelFile Write(SyntheticModelOptions options, string name)
    {
        SyntheticModel.Write(PathOf(name), options, cancellation: TestContext.Current.CancellationToken);
        return ModelFile.Open(PathOf(name));
    }

    private string PathOf(string name) => Path.Combine(_folder, name + ".gguf");

    private sealed class Recorder(Action<double> act) : IProgress<double>
    {
        public List<double> Shares { get; } = [];

        public void Report(double value)
        {
            Shares.Add(value);
            act(value);
        }
    }
}
