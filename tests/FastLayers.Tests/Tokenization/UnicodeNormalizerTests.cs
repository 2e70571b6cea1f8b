using System.Text.Json;
using FastLayers.Tokenization.Unicode;

namespace FastLayers.Tests.Tokenization;

public class UnicodeNormalizerTests
{
    [Fact]
    public void Forms_equal_those_of_another_implementation()
    {
        string[][] cases = JsonSerializer.Deserialize<string[][]>(File.ReadAllText(TestPaths.Data("tokenizers", "normalization.json")))!;
        Assert.Equal(400, cases.Length);
        foreach (string[] strings in cases)
        {
            Assert.Equal(strings[1], UnicodeNormalizer.FormD(strings[0]));
            Assert.Equal(strings[2], UnicodeNormalizer.FormKC(strings[0]));
        }
    }
}
