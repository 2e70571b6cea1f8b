using System.Text;
using FastLayers.Tokenization;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FastLayers.Tests.Tokenization;

public class RoundTripTests
{
    private const int Count = 2000;

    private static IEnumerable<Tokenizer> ExactTokenizers => [TestVocabularies.Gpt2Tokenizer, TestVocabularies.StoriesTokenizer];

    [Fact]
    public void Random_unicode_comes_back_exactly()
    {
        foreach (var tokenizer in ExactTokenizers)
        {
            for (var seed = 0; seed < Count; seed++)
            {
                var text = RandomText.Create(seed);
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false)));
            }
        }
    }

    [Property(MaxTest = 500)]
    public bool Any_string_comes_back_with_lone_surrogates_replaced(NonNull<string> text)
    {
        var expected = WellFormed(text.Get.Replace('▁', ' '));
        return ExactTokenizers.All(tokenizer => tokenizer.Decode(tokenizer.Encode(text.Get.Replace('▁', ' '))) == expected);
    }

    [Fact]
    public void Lone_surrogates_count_as_the_replacement_character()
    {
        // In code, since attributes are stored as UTF-8, which has no lone surrogates.
        (string Text, string Same)[] cases =
        [
            ("\uD83E", "\uFFFD"), ("a\uDD99b", "a\uFFFDb"), ("\uDD99\uD83E", "\uFFFD\uFFFD"), ("\uD83E\uD83E\uDD99", "\uFFFD🦙"),
        ];
        foreach (var tokenizer in ExactTokenizers)
        {
            foreach (var (text, same) in cases)
            {
                Assert.Equal(tokenizer.Encode(same), tokenizer.Encode(text));
                Assert.Equal(same, tokenizer.Decode(tokenizer.Encode(text)));
            }
        }
    }

    [Fact]
    public void Streaming_any_ids_gives_the_text_of_the_whole()
    {
        foreach (var tokenizer in ExactTokenizers)
        {
            for (var seed = 0; seed < Count; seed++)
            {
                var random = new Random(seed);
                // Byte tokens come first in the SentencePiece vocabulary: half of the ids are drawn there, to make broken UTF-8.
                var ids = new int[random.Next(1, 20)];
                for (var i = 0; i < ids.Length; i++) ids[i] = random.Next(random.Next(2) == 0 ? 259 : tokenizer.VocabularySize);
                foreach (var skipSpecial in (bool[])[false, true])
                {
                    var decoder = tokenizer.CreateStreamingDecoder(startsText: true, skipSpecial);
                    var streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
                    Assert.Equal(WholeText(tokenizer, ids, skipSpecial), streamed);
                    Assert.Equal(streamed, tokenizer.Decode(ids, skipSpecial));
                }
            }
        }
    }

    [Fact]
    public void Streaming_holds_back_incomplete_characters()
    {
        foreach (var tokenizer in ExactTokenizers)
        {
            for (var seed = 0; seed < Count; seed++)
            {
                var text = RandomText.Create(seed).Replace("\uFFFD", "", StringComparison.Ordinal);
                var decoder = tokenizer.CreateStreamingDecoder(startsText: true);
                var result = new StringBuilder();
                foreach (var id in tokenizer.Encode(text))
                {
                    result.Append(decoder.Append(id));
                    Assert.StartsWith(result.ToString(), text, StringComparison.Ordinal);
                }
                Assert.Equal("", decoder.Flush());
                Assert.Equal(text, result.ToString());
            }
        }
    }

    [Fact]
    public void Flush_ends_a_broken_character_and_starts_afresh()
    {
        var tokenizer = TestVocabularies.StoriesTokenizer;
        const int firstByte = 3;
        var decoder = tokenizer.CreateStreamingDecoder(startsText: true);
        Assert.Equal("", decoder.Append(firstByte + 0xF0));
        Assert.Equal("", decoder.Append(firstByte + 0x9F));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("a", decoder.Append(firstByte + 'a'));
    }

    [Fact]
    public void A_continued_text_keeps_its_leading_space()
    {
        var tokenizer = TestVocabularies.StoriesTokenizer;
        const int a = 261;
        Assert.Equal("▁a", tokenizer.TokenText(a));
        Assert.Equal(" a"u8, tokenizer.TokenBytes(a));
        Assert.Equal("a", tokenizer.CreateStreamingDecoder(startsText: true).Append(a));
        Assert.Equal(" a", tokenizer.CreateStreamingDecoder(startsText: false).Append(a));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    [InlineData(int.MaxValue)]
    public void Ids_outside_the_vocabulary_are_refused(int id)
    {
        var tokenizer = TestVocabularies.StoriesTokenizer;
        Assert.Equal(512, tokenizer.VocabularySize);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([id]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.TokenText(id));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.TokenBytes(id).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.IsSpecial(id));
    }

    /// <summary>The bytes of all tokens in one piece, read as UTF-8.</summary>
    private static string WholeText(Tokenizer tokenizer, int[] ids, bool skipSpecial)
    {
        var bytes = new List<byte>();
        var dropsSpace = tokenizer == TestVocabularies.StoriesTokenizer;
        foreach (var id in ids)
        {
            if (tokenizer.IsSpecial(id) && skipSpecial) continue;
            var token = tokenizer.TokenBytes(id);
            if (dropsSpace && !tokenizer.IsSpecial(id))
            {
                if (token[0] == (byte)' ') token = token[1..];
                dropsSpace = false;
            }
            bytes.AddRange(token);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string WellFormed(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.ToString()));
}
