using System.Text.Json;

namespace FastLayers.Tests.Transformer;

/// <summary>The two story models against the outputs of an independent float forward pass (golden.json beside each).</summary>
public class StoriesTests
{
    /// <summary>Of the logits; theirs are printed with five decimals.</summary>
    private const double LogitTolerance = 1e-3;

    /// <summary>Of the mean negative log-likelihood, in nats.</summary>
    private const double NllTolerance = 5e-4;

    [Fact]
    public void Stories260K_logits_and_greedy_ids_equal_the_golden_ones() =>
        CheckGolden(TestPaths.Sample("stories260K.gguf"), TestPaths.Sample("golden.json"), idsThatAreSure: int.MaxValue);

    /// <summary>At index 65 the two best tokens of stories3M are 0.0024 apart, so only the ids before are sure.</summary>
    [Fact]
    public void Stories3M_logits_and_greedy_ids_equal_the_golden_ones() =>
        CheckGolden(TestPaths.Reference("models-and-data", "stories3M", "stories3M-f32.gguf"), TestPaths.Reference("models-and-data", "stories3M", "golden.json"), idsThatAreSure: 65);

    [Theory]
    [InlineData("stories260K")]
    [InlineData("stories3M")]
    public void Mean_nll_of_the_last_40_stories_is_as_stated(string name)
    {
        string text = File.ReadAllText(TestPaths.Reference("models-and-data", "tinystories-sample", "tinystories_sample.txt"));
        using var golden = JsonDocument.Parse(File.ReadAllText(TestPaths.Reference("models-and-data", name, "golden.json")));
        using var model = Model.Load(TestPaths.Reference("models-and-data", name, $"{name}-f32.gguf"));
        var expected = golden.RootElement.GetProperty("eval_last40_stories");
        string[] stories = [.. text.Split("<|endoftext|>").Select(s => s.Trim()).Where(s => s.Length > 0)];

        // The stated value is of the first 512 tokens of each story, the one that begins a text included.
        var documents = stories[^40..].Select(s => model.Tokenizer!.Encode(s, addSpecial: false)).Select(ids => ids[..Math.Min(511, ids.Length)]).ToList();
        var result = PerplexityMeter.Measure(model, documents, contextLength: 512);

        Assert.Equal(expected.GetProperty("nll_per_token").GetDouble(), result.Nll, NllTolerance);
        Assert.Equal(expected.GetProperty("tokens").GetInt64(), result.Tokens);
    }

    private static void CheckGolden(string modelPath, string goldenPath, int idsThatAreSure)
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(goldenPath));
        int[] prompt = Ints(golden, "tokens");
        int[] expectedIds = Ints(golden, "greedy_tokens");
        float[] expectedLogits = [.. golden.RootElement.GetProperty("last_logits").EnumerateArray().Select(e => e.GetSingle())];
        using var model = Model.Load(modelPath);
        using var session = model.CreateSession(new SessionOptions { KeyFormat = FastLayers.Kernels.Formats.Format.F32, ValueFormat = FastLayers.Kernels.Formats.Format.F32 });
        var logits = new float[model.Config.VocabularySize];

        session.Append(prompt);
        session.Logits(logits);
        Assert.Equal(prompt, model.Tokenizer!.Encode(golden.RootElement.GetProperty("prompt").GetString()!));
        for (int i = 0; i < logits.Length; i++) Assert.Equal(expectedLogits[i], logits[i], LogitTolerance);

        List<int> ids = [.. prompt];
        while (ids.Count < expectedIds.Length)
        {
            ids.Add(Array.IndexOf(logits, logits.Max()));
            session.Append([ids[^1]]);
            session.Logits(logits);
        }

        int sure = Math.Min(idsThatAreSure, expectedIds.Length);
        Assert.Equal(expectedIds[..sure], ids[..sure]);
    }

    private static int[] Ints(JsonDocument document, string name) => [.. document.RootElement.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];
}
