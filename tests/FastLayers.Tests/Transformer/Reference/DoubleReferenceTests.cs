using System.Text.Json;
using FastLayers.Loading;
using FastLayers.Synthesis;

namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The reference is itself checked against llama.cpp before anything is checked against it.</summary>
public sealed class DoubleReferenceTests
{
    /// <summary>What separates float32 sums of llama.cpp from exact ones, relative to the largest value of the tensor.</summary>
    private const double FloatError = 2e-6;

    /// <summary>The same for weights that llama.cpp decoded to float32 first, with its own longer sums.</summary>
    private const double DecodedError = 1e-5;

    [Theory]
    [InlineData("tiny64-f32", "kvf32")]
    [InlineData("tiny64-f32", "kvf32.step")]
    [InlineData("tiny64t-f32", "kvf32")]
    [InlineData("tiny64t-f32", "kvf32.step")]
    public void Logits_are_those_of_llama_cpp(string model, string run) => AssertLogits(model, $"{model}.{run}", FloatError);

    [Theory]
    [InlineData("tiny64-BF16")]
    [InlineData("tiny64-F16")]
    [InlineData("tiny64-IQ4_NL")]
    [InlineData("tiny64-Q4_0")]
    [InlineData("tiny64-Q4_1")]
    [InlineData("tiny64-Q5_0")]
    [InlineData("tiny64-Q5_1")]
    [InlineData("tiny64-Q8_0")]
    [InlineData("tiny64t-BF16")]
    [InlineData("tiny64t-F16")]
    [InlineData("tiny64t-IQ4_NL")]
    [InlineData("tiny64t-Q4_0")]
    [InlineData("tiny64t-Q4_1")]
    [InlineData("tiny64t-Q5_0")]
    [InlineData("tiny64t-Q5_1")]
    [InlineData("tiny64t-Q8_0")]
    [InlineData("tiny256-IQ4_NL")]
    [InlineData("tiny256-IQ4_XS")]
    [InlineData("tiny256-Q2_K")]
    [InlineData("tiny256-Q3_K_M")]
    [InlineData("tiny256-Q4_0")]
    [InlineData("tiny256-Q4_K_M")]
    [InlineData("tiny256-Q5_K_M")]
    [InlineData("tiny256-Q6_K")]
    [InlineData("tiny256-Q8_0")]
    [InlineData("tiny256-TQ1_0")]
    [InlineData("tiny256-TQ2_0")]
    public void Logits_of_decoded_weights_are_those_of_llama_cpp(string model) => AssertLogits(model, model + ".deq.kvf32", DecodedError);

    [Fact]
    public void Inner_values_are_those_of_llama_cpp()
    {
        using var file = ModelFile.Open(TestModels.LlamaCpp("tiny64-f32"));
        var run = new DoubleReference(file).Forward(TestModels.ReferenceIds("tiny64-f32.kvf32"));
        foreach (var (name, rows) in run.Inner) AssertClose(Inner(name), rows, FloatError, name);
        AssertClose(Inner("result_norm"), run.Hidden, FloatError, "result_norm");
        AssertClose(Inner("result_output"), run.Logits, FloatError, "result_output");
        for (var layer = 0; layer < run.Residuals.Length; layer++)
            AssertClose(Inner($"l_out-{layer}"), run.Residuals[layer], FloatError, $"residual {layer}");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0.52049987781304653768)]
    [InlineData(-1, -0.84270079294971486934)]
    [InlineData(3, 0.99997790950300141456)]
    [InlineData(5.9, 1)]
    public void The_error_function_has_the_tabulated_values(double x, double expected) => Assert.Equal(expected, ReferenceMath.Erf(x), 1e-14);

    /// <summary>The sample model, whose golden logits are printed with five decimals.</summary>
    [Fact]
    public void Logits_of_the_sample_model_are_the_golden_ones()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(TestPaths.Sample("golden.json")));
        using var file = ModelFile.Open(TestPaths.Sample("stories260K.gguf"));
        var run = new DoubleReference(file).Forward([.. golden.RootElement.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())]);
        AssertClose([.. golden.RootElement.GetProperty("last_logits").EnumerateArray().Select(logit => logit.GetSingle())], [run.Logits[^1]], FloatError, "stories260K");
    }

    /// <summary>The float model of this family is not part of the repository: its seed is.</summary>
    [Fact]
    public void Logits_of_a_model_written_from_its_seed_are_those_of_llama_cpp()
    {
        var path = Path.GetTempFileName() + ".gguf";
        SyntheticModel.Write(path, SyntheticModelOptions.Parse("layers=2,width=256,ffn=256,heads=4,kv-heads=2,vocabulary=288,tied=true,deviation=0.08", seed: 1003));
        using (var file = ModelFile.Open(path))
        {
            var run = new DoubleReference(file).Forward(TestModels.ReferenceIds("tiny256-f32.kvf32"));
            AssertClose(TestModels.ReadFloats("llama.cpp", "logits", "tiny256-f32.kvf32.logits.f32"), run.Logits, FloatError, "tiny256-f32");
        }
        File.Delete(path);
    }

    private static float[] Inner(string name) => TestModels.ReadFloats("llama.cpp", "tensors", name + ".f32");

    private static void AssertLogits(string model, string runName, double tolerance)
    {
        using var file = ModelFile.Open(TestModels.LlamaCpp(model));
        var run = new DoubleReference(file).Forward(TestModels.ReferenceIds(runName));
        AssertClose(TestModels.ReadFloats("llama.cpp", "logits", runName + ".logits.f32"), run.Logits, tolerance, runName);
    }

    private static void AssertClose(float[] expected, double[][] found, double tolerance, string name)
    {
        var flat = found.SelectMany(row => row).ToArray();
        Assert.Equal(expected.Length, flat.Length);
        var largest = expected.Max(value => Math.Abs((double)value));
        var worst = expected.Zip(flat, (a, b) => Math.Abs(a - b)).Max();
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {worst:e2} absolute, {worst / largest:e2} relative");
        Assert.True(worst <= tolerance * largest, $"{name}: {worst} is more than {tolerance} of {largest}");
    }
}
