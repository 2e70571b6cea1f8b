using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>A megabyte is encoded in about a second, also where there are no spaces to cut at.</summary>
public class LargeTextTests
{
    private const int Length = 1_000_000;

    /// <summary>Ample for slow machines: a quadratic merge of a megabyte takes hours.</summary>
    private const int TimeLimitMilliseconds = 120_000;

    public static readonly TheoryData<string> Texts = new("a", " ", "\n", "\n ", "1", "'", "!", "漢", "🦙", "ab1 ", "Once upon a time ", "<|endoftext", "a\u0301", "\u0301\u0323", "é");

    [Theory(Timeout = TimeLimitMilliseconds)]
    [MemberData(nameof(Texts))]
    public async Task A_megabyte_of_repeated_text_is_encoded(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, Length / unit.Length));
        await Task.Run(() =>
        {
            foreach (var tokenizer in (Tokenizer[])[TestVocabularies.Gpt2Tokenizer, TestVocabularies.StoriesTokenizer])
            {
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, parseSpecial: true)));
            }
            foreach (var tokenizer in (Tokenizer[])[TestVocabularies.BertTokenizer, TestVocabularies.UniversalTokenizer])
            {
                var ids = tokenizer.Encode(text, parseSpecial: true);
                Assert.DoesNotContain(ids, id => id < 0 || id >= tokenizer.VocabularySize);
            }
        }, TestContext.Current.CancellationToken);
    }
}
