using System.Globalization;
using FastLayers.Loading;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>Tokenizers against the outputs of the engines that their vocabularies come from.</summary>
public class TokenizerVectorTests
{
    [Theory]
    [InlineData("gpt-2")]
    [InlineData("bert-bge")]
    public void Ids_equal_the_vectors(string name)
    {
        string path = TestPaths.Data("tokenizers", $"ggml-vocab-{name}.gguf");
        string[] texts = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n");
        string[] lines = File.ReadAllLines(path + ".out");
        var tokenizer = Open(path);

        var wrong = new List<string>();
        // The last text is followed by a separator too.
        Assert.Equal("", texts[^1]);
        Assert.Equal(texts.Length - 1, lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            int[] expected = [.. lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => int.Parse(s, CultureInfo.InvariantCulture))];
            int[] actual = tokenizer.Encode(texts[i], addSpecial: false);
            if (!expected.SequenceEqual(actual)) wrong.Add($"{i} '{texts[i]}': expected {string.Join(' ', expected)}, found {string.Join(' ', actual)}");
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("hello", new[] { 2002, 102 })]
    [InlineData("A girl is styling her hair.", new[] { 74, 711, 18, 638, 48, 570, 89, 707, 6 })]
    [InlineData("How old are you?", new[] { 728, 446, 31, 19, 54 })]
    [InlineData("What is your age?", new[] { 379, 18, 37, 735, 54 })]
    [InlineData("The market fell sharply today.", new[] { 34, 617, 3262, 5344, 56, 784, 6 })]
    public void Unigram_ids_equal_those_of_use_lite(string text, int[] expected) =>
        Assert.Equal(expected, Tokenizer.FromFile(TestPaths.Data("tokenizers", "use-lite-vocab.json")).Encode(text));

    [Fact]
    public void Sentence_piece_ids_equal_those_of_the_story_model() =>
        Assert.Equal([1, 403, 407, 261, 378], Open(TestPaths.Sample("stories260K.gguf")).Encode("Once upon a time"));

    internal static Tokenizer Open(string path)
    {
        using var file = ModelFile.Open(path);
        return Tokenizer.FromMetadata(file.Metadata);
    }
}
