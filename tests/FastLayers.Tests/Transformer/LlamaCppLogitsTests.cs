namespace FastLayers.Tests.Transformer;

/// <summary>Logits of tiny random models in every format against those of llama.cpp (data/llama.cpp/SOURCE.md).</summary>
public class LlamaCppLogitsTests
{
    /// <summary>llama.cpp's float path, our float path: both round differently, nothing more.</summary>
    private const double FloatTolerance = 1e-3;

    /// <summary>8-bit activations against the exact product; llama.cpp's own path has 0.030 to 0.045.</summary>
    private const double Int8RelativeRms = 0.045;

    public static TheoryData<string> QuantizedModels =>
        [.. Directory.GetFiles(TestPaths.Data("llama.cpp", "logits"), "*.deq.kvf32.logits.f32")
            .Select(path => Path.GetFileName(path).Replace(".deq.kvf32.logits.f32", "", StringComparison.Ordinal))
            .Where(name => !name.Contains("IQ3_S", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> FloatRuns => [.. new[] { "tiny64-f32", "tiny64t-f32" }.SelectMany(m => new[] { m + ".kvf32", m + ".kvf32.step" })];

    [Theory]
    [MemberData(nameof(QuantizedModels))]
    public void Float_activations_give_the_logits_of_the_decoded_weights(string name) =>
        Assert.InRange(TestModels.MaxDifference(Expected(name + ".deq.kvf32"), Logits(name, name + ".deq.kvf32", ActivationPrecision.Float32)), 0, FloatTolerance);

    [Theory]
    [MemberData(nameof(QuantizedModels))]
    public void Eight_bit_activations_stay_within_the_error_of_the_reference_engine(string name) =>
        Assert.InRange(TestModels.RelativeRms(Expected(name + ".deq.kvf32"), Logits(name, name + ".deq.kvf32", ActivationPrecision.Int8)), 0, Int8RelativeRms);

    [Theory]
    [MemberData(nameof(FloatRuns))]
    public void Float_models_give_the_logits(string run) =>
        Assert.InRange(TestModels.MaxDifference(Expected(run), Logits(run[..run.IndexOf('.', StringComparison.Ordinal)], run, ActivationPrecision.Float32)), 0, FloatTolerance);

    [Fact]
    public void A_half_precision_cache_gives_the_logits_of_one_there()
    {
        using var model = TestModels.Load("tiny64-f32");
        using var session = model.CreateSession();
        int[] ids = TestModels.ReferenceIds("tiny64-f32.kvf16");
        var logits = new float[ids.Length * model.Config.VocabularySize];

        session.AppendWithLogits(ids, logits);

        // Both round keys and values to half, and some of them to different neighbours.
        Assert.InRange(TestModels.RelativeRms(Expected("tiny64-f32.kvf16"), logits), 0, 2e-3);
    }

    [Fact]
    public void A_codebook_format_is_refused_by_name()
    {
        var exception = Assert.Throws<InvalidDataException>(() => Model.Load(TestModels.LlamaCpp("tiny256-IQ3_S")));
        Assert.Contains("iq3_s", exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("tiny256-IQ3_S.gguf", exception.Message, StringComparison.Ordinal);
    }

    private static float[] Expected(string run) => TestModels.ReadFloats("llama.cpp", "logits", run + ".logits.f32");

    private static float[] Logits(string name, string run, ActivationPrecision activations)
    {
        using var model = TestModels.Load(name, activations);
        return model.Logits(TestModels.ReferenceIds(run));
    }
}
