using FastLayers.Loading;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The double reference, for every architecture in every form, against llama.cpp (data/llama.cpp-architectures/SOURCE.md).</summary>
public sealed class ArchitectureDataTests : IDisposable
{
    /// <summary>What separates float32 sums from exact ones, relative to the largest logit.</summary>
    private const double FloatError = 1e-5;

    /// <summary>The same where llama.cpp looks GELU up in a table of 16-bit floats.</summary>
    private const double TableError = 1e-3;

    private const int Context = 128, Vocabulary = 320, TokenCount = 40, Cls = 2, Sep = 3;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"data-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    public static TheoryData<string> Variants => [.. ArchitectureVariants.All.Select(variant => variant.ToString())];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Results_are_those_of_llama_cpp(string name)
    {
        var variant = ArchitectureVariants.All.Single(candidate => candidate.ToString() == name);
        SyntheticModel.Write(_path, SyntheticModelOptions.Parse(variant.FullShape, variant.Architecture, "f32", seed: 20), cancellation: TestContext.Current.CancellationToken);
        using var file = ModelFile.Open(_path);
        var ids = TestModels.RandomIds(TokenCount, Vocabulary, seed: 5);
        var encoder = variant.Architecture == "bert";
        var run = new DoubleReference(file, variant.Context > 0 ? variant.Context : Context).Forward(encoder ? [Cls, .. ids, Sep] : ids);

        var expected = TestModels.ReadFloats("llama.cpp-architectures", variant.FileName + ".f32");
        var found = encoder ? UnitMean(run.Hidden) : LogSoftmax(run.Logits[^1]);
        var size = (encoder ? found : run.Logits[^1]).Max(Math.Abs);
        var worst = expected.Zip(found, (a, b) => Math.Abs(a - b)).Max() / size;
        TestContext.Current.TestOutputHelper?.WriteLine($"{worst:e2}");
        Assert.Equal(expected.Length, found.Length);
        Assert.InRange(worst, 0, variant.Architecture is "gemma2" or "gemma3" or "gpt2" or "bert" ? TableError : FloatError);
    }

    private static double[] LogSoftmax(double[] logits)
    {
        var largest = logits.Max();
        var logarithm = largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
        return [.. logits.Select(logit => logit - logarithm)];
    }

    private static double[] UnitMean(double[][] rows)
    {
        var mean = Enumerable.Range(0, rows[0].Length).Select(i => rows.Average(row => row[i])).ToArray();
        var length = Math.Sqrt(mean.Sum(value => value * value));
        return [.. mean.Select(value => value / length)];
    }
}
