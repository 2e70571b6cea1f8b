using FastLayers.Loading;
using FastLayers.Synthesis;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Synthesis;

public sealed class SyntheticVocabularyTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"vocabulary-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(_path);

    /// <summary>Byte fallback and byte-level pieces spell everything, at the smallest size and with pieces.</summary>
    [Theory]
    [InlineData("llama", 260)]
    [InlineData("llama", 2000)]
    [InlineData("gpt2", 257)]
    [InlineData("gpt2", 2000)]
    [InlineData("qwen2", 2000)]
    public void Any_text_comes_back(string architecture, int count)
    {
        const string Text = "ab zq, naïve 東京 1234\n\t\"🙂\" end";
        using var file = Write(architecture, count);
        var tokenizer = Tokenizer.FromMetadata(file.Metadata);
        var ids = tokenizer.Encode(Text, addSpecial: false);
        Assert.Equal(Text, tokenizer.Decode(ids).TrimStart(' '));
        Assert.Equal(count, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("qwen2")]
    public void Letter_pairs_are_merged(string architecture)
    {
        const string Text = "abcdef";
        using var small = Write(architecture, 260);
        var bytes = Tokenizer.FromMetadata(small.Metadata).Encode(Text, addSpecial: false).Length;
        small.Dispose();
        using var large = Write(architecture, 2000);
        Assert.InRange(Tokenizer.FromMetadata(large.Metadata).Encode(Text, addSpecial: false).Length, 1, bytes - 3); // three pairs
    }

    [Fact]
    public void Words_are_spelled_between_the_marks_of_a_sequence()
    {
        using var file = Write("bert", 2000);
        var tokenizer = Tokenizer.FromMetadata(file.Metadata);
        var ids = tokenizer.Encode("abc 42!");
        Assert.Equal("[CLS] [SEP]", $"{tokenizer.TokenText(ids[0])} {tokenizer.TokenText(ids[^1])}");
        Assert.DoesNotContain(tokenizer.UnknownId!.Value, ids);
        Assert.InRange(ids.Length, 2 + 4, 2 + 6);
    }

    private ModelFile Write(string architecture, int count)
    {
        SyntheticModel.Write(_path, SyntheticModelOptions.Parse($"layers=1,width=32,ffn=32,heads=2,vocabulary={count}", architecture), cancellation: TestContext.Current.CancellationToken);
        return ModelFile.Open(_path);
    }
}
