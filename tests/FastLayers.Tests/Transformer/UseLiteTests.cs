using System.Text.Json;

namespace FastLayers.Tests.Transformer;

/// <summary>The real sentence encoder against its golden embeddings. The weights are 27 MB and not part of the repository.</summary>
public class UseLiteTests
{
    private const double SmallestCosine = 0.99999;

    [Fact]
    public void Embeddings_and_ids_equal_the_golden_ones()
    {
        string path = TestPaths.Reference("models-and-data", "use-lite", "use-lite-f32.safetensors");
        using var golden = JsonDocument.Parse(File.ReadAllText(TestPaths.Reference("models-and-data", "use-lite", "golden.json")));
        using var model = Model.Load(path);

        Assert.Equal("use-lite", model.Config.Architecture);
        int count = 0;
        foreach (var sentence in golden.RootElement.EnumerateArray())
        {
            string text = sentence.GetProperty("text").GetString()!;
            Assert.Equal(sentence.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32()), model.Tokenizer!.Encode(text));
            float[] expected = [.. sentence.GetProperty("embedding").EnumerateArray().Select(e => e.GetSingle())];
            float[] actual = model.Embed(text);
            Assert.InRange(Cosine(expected, actual), SmallestCosine, 1.00001);
            Assert.Equal(1, actual.Sum(v => (double)v * v), 1e-5);
            count++;
        }

        Assert.Equal(5, count);
        Assert.Throws<InvalidOperationException>(() => model.GenerateAsync("no"));
        Assert.Throws<InvalidOperationException>(() => model.Logits([1]));
    }

    private static double Cosine(float[] a, float[] b)
    {
        Assert.Equal(a.Length, b.Length);
        double dot = 0, aa = 0, bb = 0;
        for (int i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }

        return dot / Math.Sqrt(aa * bb);
    }
}
