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
            Assert.Equal(strings[3], UnicodeNormalizer.FormC(strings[0]));
            Assert.Equal(strings[4], UnicodeNormalizer.FormKD(strings[0]));
        }
    }

    [Fact]
    public void Long_runs_of_marks_are_sorted_by_class()
    {
        string text = "a" + string.Concat(Enumerable.Repeat("\u0301\u0323", 100_000));
        string expected = "a" + new string('\u0323', 100_000) + new string('\u0301', 100_000);
        Assert.Equal(expected, UnicodeNormalizer.FormD(text));
    }
}
