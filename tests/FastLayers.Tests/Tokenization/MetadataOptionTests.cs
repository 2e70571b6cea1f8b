using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>What optional keys of <c>tokenizer.ggml.*</c> change.</summary>
public class MetadataOptionTests
{
    [Fact]
    public void A_missing_pattern_name_means_gpt2() =>
        TestVocabularies.AssertVectors(Tokenizer.FromMetadata(TestVocabularies.Gpt2.With(("pre", null))), "ggml-vocab-gpt-2.gguf");

    [Theory]
    [InlineData("gpt-2", "12|34| a", false)]
    [InlineData("default", "12|34| a", false)]
    [InlineData("llama-bpe", "123|4| a", true)]
    [InlineData("llama3", "123|4| a", true)]
    [InlineData("dbrx", "123|4| a", false)]
    [InlineData("qwen2", "1|2|3|4| a", false)]
    [InlineData("smollm", "1|2|3|4| a", false)]
    public void Pattern_names_cut_numbers_their_way(string name, string expected, bool addsBegin)
    {
        var tokenizer = Tokenizer.FromMetadata(TestVocabularies.Gpt2.With(("pre", name)));
        Assert.Equal(addsBegin, tokenizer.AddsBegin);
        Assert.Equal(expected, string.Join('|', tokenizer.Encode("1234 a", addSpecial: false).Select(id => tokenizer.Decode([id]))));
    }

    [Fact]
    public void Cased_word_pieces_are_named_by_the_file()
    {
        var cased = Tokenizer.FromMetadata(TestVocabularies.Bert.With(("normalizer.lowercase", false)));
        Assert.Equal(cased.UnknownId, Assert.Single(cased.Encode("Hello", addSpecial: false)));
        Assert.Equal([7592], cased.Encode("hello", addSpecial: false));
        var accents = Tokenizer.FromMetadata(TestVocabularies.Bert.With(("normalizer.strip_accents", false)));
        Assert.NotEqual(TestVocabularies.BertTokenizer.Encode("née"), accents.Encode("née"));
        Assert.Equal(TestVocabularies.BertTokenizer.Encode("nee"), accents.Encode("NEE"));
    }
}
