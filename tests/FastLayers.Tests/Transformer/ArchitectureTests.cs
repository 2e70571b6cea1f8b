using FastLayers.Kernels.Formats;
using FastLayers.Loading;
using FastLayers.Synthesis;
using FastLayers.Tests.Transformer.Reference;

namespace FastLayers.Tests.Transformer;

/// <summary>
/// Random models of every architecture in every form, run with float activations and an F32 cache, against a forward pass in
/// double precision.
/// </summary>
public sealed class ArchitectureTests : IDisposable
{
    /// <summary>The largest error that float32 sums may leave, relative to the largest value.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>What a part of an architecture must change at least to count as tested: far beyond the tolerance.</summary>
    private const double Noticeable = 10 * Tolerance;

    private const int TokenCount = 40, ChunkLength = 7;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"architecture-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    public static TheoryData<string> Variants => [.. ArchitectureVariants.All.Select(variant => variant.ToString())];

    public static TheoryData<string> Decoders =>
        [.. ArchitectureVariants.All.Where(variant => variant.Architecture != "bert").Select(variant => variant.ToString())];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Forward_equals_the_double_reference(string name)
    {
        var variant = Find(name);
        Write(variant);
        using var model = Model.Load(_path, Device.Cpu, new ModelOptions { Activations = ActivationPrecision.Float32 });
        var ids = Ids(model.Config.VocabularySize);
        var expected = new DoubleReference(model.File, ContextOf(variant)).Forward(ids);

        var probe = new ResidualStreamProbe();
        using var session = model.CreateSession(Options(variant) with { Probe = probe });
        session.Append(ids, cancellation: TestContext.Current.CancellationToken);
        var rows = Enumerable.Range(0, ids.Length).ToArray();
        var hidden = new float[ids.Length * model.Config.Width];
        session.HiddenOfRows(rows, hidden);
        for (var layer = 0; layer < model.Config.LayerCount; layer++) AssertClose(expected.Residuals[layer], [.. probe.Boundaries[layer + 1]], $"residual after layer {layer}");
        AssertClose(expected.Hidden, hidden, "hidden");
        if (model.Config.IsEncoder) return;
        var logits = new float[ids.Length * model.Config.VocabularySize];
        session.LogitsOfRows(rows, logits);
        AssertClose(expected.Logits, logits, "logits");
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Chunks_and_single_tokens_give_the_same_logits(string name)
    {
        var variant = Find(name);
        Write(variant);
        using var model = Model.Load(_path, Device.Cpu, new ModelOptions { Activations = ActivationPrecision.Float32 });
        var ids = Ids(model.Config.VocabularySize);
        var expected = new DoubleReference(model.File, ContextOf(variant)).Forward(ids);
        foreach (var chunk in new[] { ChunkLength, 1 })
        {
            var logits = new float[ids.Length * model.Config.VocabularySize];
            using var session = model.CreateSession(Options(variant) with { ChunkLength = chunk });
            session.AppendWithLogits(ids, logits, cancellation: TestContext.Current.CancellationToken);
            AssertClose(expected.Logits, logits, $"logits in chunks of {chunk}");
        }
    }

    /// <summary>Guards the tests above: a part that changes nothing in the reference is not tested by equality with it.</summary>
    [Theory]
    [InlineData("llama", "rope-scaling=linear,rope-factor=4", "")]
    [InlineData("llama", "head-size=32,rope-scaling=yarn,rope-factor=4", "head-size=32,rope-scaling=linear,rope-factor=4")]
    [InlineData("llama", "head-size=32,rope-scaling=yarn,rope-factor=4", "head-size=32")]
    [InlineData("llama", "rope-scaling=llama3,rope-factor=8,original-context=64", "")]
    [InlineData("llama", "rope-base=500000", "")]
    [InlineData("qwen3moe", "experts=8,experts-used=3", "experts=8,experts-used=4")]
    [InlineData("gemma2", "window=8", "")]
    [InlineData("gemma3", "layers=7,window=8", "layers=7,window=9")]
    [InlineData("gemma3", "layers=7,window=8,rope-base=10000", "layers=7,window=8")]
    [InlineData("gemma3", "layers=7,window=8,rope-scaling=linear,rope-factor=8", "layers=7,window=8")]
    [InlineData("phi3", "rope-dimensions=12", "")]
    [InlineData("phi3", "rope-scaling=longrope,original-context=64", "")]
    public void Each_part_of_a_shape_changes_the_logits(string architecture, string shape, string other) =>
        AssertFar(Reference(architecture, shape, null), Reference(architecture, other, null));

    [Fact]
    public void Longrope_depends_on_the_context_of_the_session()
    {
        const string Shape = "rope-scaling=longrope,original-context=64";
        AssertFar(Reference("phi3", Shape, 64), Reference("phi3", Shape, 128));
    }

    [Theory]
    [InlineData("gemma2", "gemma2.attn_logit_softcapping", 1e9f)]
    [InlineData("gemma2", "gemma2.final_logit_softcapping", 1e9f)]
    [InlineData("bert", "bert.attention.causal", true)]
    [InlineData("phi3", "phi3.rope.scaling.attn_factor", 1.5f)]
    public void Each_metadata_value_changes_the_result(string architecture, string key, object value)
    {
        var expected = Reference(architecture, "", null);
        var changed = _path + ".changed";
        using (var source = ModelFile.Open(_path))
        {
            var writer = new GgufWriter();
            writer.SetMetadata(source.Metadata);
            writer.SetMetadata(key, value);
            foreach (var tensor in source.Tensors) writer.AddTensor(source, tensor);
            writer.Write(changed);
        }
        File.Move(changed, _path, overwrite: true);
        using var file = ModelFile.Open(_path);
        AssertFar(expected, Result(new DoubleReference(file).Forward(Ids(320))));
    }

    private double[][] Reference(string architecture, string shape, int? context)
    {
        Write(new ArchitectureVariant("", architecture, shape));
        using var file = ModelFile.Open(_path);
        return Result(new DoubleReference(file, context).Forward(Ids(320)));
    }

    private void Write(ArchitectureVariant variant) =>
        SyntheticModel.Write(_path, SyntheticModelOptions.Parse(variant.FullShape, variant.Architecture, "f32", seed: 20), cancellation: TestContext.Current.CancellationToken);

    private static ArchitectureVariant Find(string name) => ArchitectureVariants.All.Single(variant => variant.ToString() == name);

    private static int ContextOf(ArchitectureVariant variant) => variant.Context > 0 ? variant.Context : TokenCount;

    private static SessionOptions Options(ArchitectureVariant variant) => new() { KeyFormat = Format.F32, ValueFormat = Format.F32, ContextLength = ContextOf(variant) };

    private static int[] Ids(int vocabulary) => TestModels.RandomIds(TokenCount, vocabulary, seed: 5);

    private static double[][] Result(ReferenceRun run) => run.Logits.Length > 0 ? run.Logits : run.Hidden;

    private static void AssertClose(double[][] expected, ReadOnlySpan<float> found, string what)
    {
        var error = RelativeError(expected, found);
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {error:e2}");
        Assert.True(error <= Tolerance, $"{what}: relative error {error:e2} exceeds {Tolerance}");
    }

    private static void AssertFar(double[][] first, double[][] second)
    {
        var difference = RelativeError(first, second.SelectMany(row => row).Select(value => (float)value).ToArray());
        Assert.True(difference > Noticeable, $"the results differ by {difference:e2} only");
    }

    /// <summary>The largest difference over the largest absolute expected value.</summary>
    private static double RelativeError(double[][] expected, ReadOnlySpan<float> found)
    {
        var flat = expected.SelectMany(row => row).ToArray();
        Assert.Equal(flat.Length, found.Length);
        double worst = 0, largest = 0;
        for (var i = 0; i < flat.Length; i++)
        {
            var difference = Math.Abs(flat[i] - found[i]);
            if (!(difference <= worst)) worst = difference;
            largest = Math.Max(largest, Math.Abs(flat[i]));
        }
        return worst / largest;
    }
}
