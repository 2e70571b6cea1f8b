using FastLayers.Loading;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

public class SpecialTokenTests
{
    [Fact]
    public void Stories_names_its_special_tokens()
    {
        var tokenizer = TestVocabularies.StoriesTokenizer;
        Assert.Equal((1, 2, 0), (tokenizer.BeginId, tokenizer.EndId, tokenizer.UnknownId));
        Assert.Equal([2], tokenizer.EndIds);
        Assert.Null(tokenizer.SeparatorId);
        Assert.Null(tokenizer.PadId);
        Assert.True(tokenizer.AddsBegin);
        Assert.False(tokenizer.AddsEnd);
        Assert.True(tokenizer.IsSpecial(0) && tokenizer.IsSpecial(1) && tokenizer.IsSpecial(2));
        Assert.False(tokenizer.IsSpecial(3));
    }

    [Fact]
    public void Bert_surrounds_a_text()
    {
        var tokenizer = TestVocabularies.BertTokenizer;
        Assert.Equal((101, 102, 102, 100, 0), (tokenizer.BeginId, tokenizer.EndId, tokenizer.SeparatorId, tokenizer.UnknownId, tokenizer.PadId));
        Assert.Equal([101, 7592, 2088, 102], tokenizer.Encode("Hello world"));
        Assert.Equal("hello world", tokenizer.Decode([101, 7592, 2088, 102]));
        Assert.Equal("[CLS]hello world[SEP]", tokenizer.Decode([101, 7592, 2088, 102], skipSpecial: false));
        Assert.Equal("embedding", tokenizer.Decode(tokenizer.Encode("Embedding")));
    }

    [Fact]
    public void Begin_and_end_follow_the_flags_of_the_file()
    {
        var both = Tokenizer.FromMetadata(TestVocabularies.Stories.With(("add_eos_token", true)));
        Assert.Equal([1, 403, 407, 2], both.Encode("Once upon"));
        Assert.Equal([403, 407], both.Encode("Once upon", addSpecial: false));
        Assert.Equal([1, 2], both.Encode(""));

        var none = Tokenizer.FromMetadata(TestVocabularies.Stories.With(("add_bos_token", false)));
        Assert.False(none.AddsBegin);
        Assert.Equal([403, 407], none.Encode("Once upon"));
        Assert.Empty(none.Encode(""));
    }

    [Fact]
    public void Control_tokens_are_text_unless_asked_for()
    {
        var tokenizer = TestVocabularies.Gpt2Tokenizer;
        const int end = 50256;
        Assert.Equal("<|endoftext|>", tokenizer.TokenText(end));
        Assert.DoesNotContain(end, tokenizer.Encode("a<|endoftext|>b"));
        Assert.Equal([64, end, end, 65], tokenizer.Encode("a<|endoftext|><|endoftext|>b", parseSpecial: true));
        Assert.Equal("a<|endoftext|>b", tokenizer.Decode([64, end, 65], skipSpecial: false));
        Assert.Equal("ab", tokenizer.Decode([64, end, 65]));
    }

    [Fact]
    public void Text_after_a_special_token_starts_like_a_text()
    {
        var tokenizer = TestVocabularies.StoriesTokenizer;
        Assert.Equal([1, 403, 2, 1, 403], tokenizer.Encode("Once</s><s>Once", parseSpecial: true));
    }

    [Fact]
    public void The_leftmost_and_then_the_longest_token_is_found()
    {
        var tokenizer = Small(("<x>", 3), ("<x>y", 3), ("y<x>", 3), ("<u>", 4));
        Assert.Equal(["<x>y", "<x>"], Texts(tokenizer, "<x>y<x>", parseSpecial: true));
        Assert.Equal(["y<x>", "y"], Texts(tokenizer, "y<x>y", parseSpecial: true));
        Assert.Equal(["a", "<u>", "<", "x", ">"], Texts(tokenizer, "a<u><x>", parseSpecial: false));
        Assert.Equal(["<", "x", "<x>", "<", "x"], Texts(tokenizer, "<x<x><x", parseSpecial: true));
    }

    [Fact]
    public void User_defined_tokens_are_part_of_the_text()
    {
        var tokenizer = Small(("<u>", 4));
        var id = tokenizer.Encode("<u>").Single();
        Assert.False(tokenizer.IsSpecial(id));
        Assert.Equal("a<u>b", tokenizer.Decode(tokenizer.Encode("a<u>b")));
    }

    [Fact]
    public void Ends_of_turns_and_messages_are_ends_too()
    {
        var tokenizer = Small(("<|eot_id|>", 3), ("<|im_end|>", 3), ("<other>", 3));
        string[] ends = [.. tokenizer.EndIds.Order().Select(tokenizer.TokenText)];
        Assert.Equal(["<|eot_id|>", "<|im_end|>"], ends);

        var named = Tokenizer.FromMetadata(TestVocabularies.Stories.With(("eot_token_id", 300u), ("eom_token_id", 301u)));
        Assert.Equal([2, 300, 301], named.EndIds.Order());
        Assert.True(named.IsSpecial(300));
    }

    [Fact]
    public void An_ordinary_token_that_looks_like_a_role_is_none()
    {
        var texts = TestVocabularies.Stories.GetArray<string>("tokenizer.ggml.tokens")!;
        var types = (int[])TestVocabularies.Stories.GetArray<int>("tokenizer.ggml.token_type")!.Clone();
        types[2] = 1;
        Assert.Equal("</s>", texts[2]);
        var tokenizer = Tokenizer.FromMetadata(TestVocabularies.Stories.With(("token_type", types), ("eos_token_id", null)));
        Assert.Null(tokenizer.EndId);
        Assert.False(tokenizer.IsSpecial(2));
    }

    [Fact]
    public void A_file_without_token_types_is_read_by_the_texts()
    {
        var tokenizer = Tokenizer.FromMetadata(TestVocabularies.Stories.With(
            ("token_type", null), ("bos_token_id", null), ("eos_token_id", null), ("unknown_token_id", null)));
        Assert.Equal((1, 2, 0), (tokenizer.BeginId, tokenizer.EndId, tokenizer.UnknownId));
        for (var seed = 0; seed < 100; seed++)
        {
            var text = RandomText.Create(seed);
            Assert.Equal(TestVocabularies.StoriesTokenizer.Encode(text), tokenizer.Encode(text));
        }
    }

    /// <summary>Characters a–z, the angle brackets, all other bytes as GPT-2 writes them, and the given tokens.</summary>
    internal static Tokenizer Small(params (string Text, int Type)[] added) => Tokenizer.FromMetadata(SmallMetadata(added));

    internal static ModelMetadata SmallMetadata(params (string Text, int Type)[] added)
    {
        var texts = Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToChar((byte)value).ToString()).Concat(added.Select(token => token.Text));
        var types = Enumerable.Repeat(1, 256).Concat(added.Select(token => token.Type));
        return new ModelMetadata("small.gguf", new Dictionary<string, object>
        {
            ["tokenizer.ggml.model"] = "gpt2",
            ["tokenizer.ggml.tokens"] = texts.ToArray(),
            ["tokenizer.ggml.token_type"] = types.ToArray(),
            ["tokenizer.ggml.merges"] = Array.Empty<string>(),
        });
    }

    private static string[] Texts(Tokenizer tokenizer, string text, bool parseSpecial) =>
        [.. tokenizer.Encode(text, parseSpecial: parseSpecial).Select(tokenizer.TokenText)];
}
