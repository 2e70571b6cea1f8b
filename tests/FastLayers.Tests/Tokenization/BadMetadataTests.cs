using FastLayers.Loading;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>Damaged <c>tokenizer.ggml.*</c> keys are reported with the file, the key and what is wrong.</summary>
public class BadMetadataTests
{
    private static ModelMetadata Stories => TestVocabularies.Stories;

    private static ModelMetadata Small => SpecialTokenTests.SmallMetadata(("ab", 1), ("bc", 1));

    [Fact]
    public void The_small_vocabulary_is_good_before_it_is_damaged()
    {
        var tokenizer = Tokenizer.FromMetadata(Small.With(Merges("b c", "a b")));
        Assert.Equal([97, 257], tokenizer.Encode("abc").Select(id => id < 256 ? tokenizer.TokenText(id)[0] : id));
    }

    [Fact]
    public void Missing_keys()
    {
        Fails(Stories, "tokenizer.ggml.model", ("model", null));
        Fails(Stories, "tokenizer.ggml.tokens", ("tokens", null));
        Fails(Stories, "tokenizer.ggml.scores", ("scores", null));
        Fails(Small, "tokenizer.ggml.merges", ("merges", null));
    }

    [Fact]
    public void Wrong_types()
    {
        Fails(Stories, "tokenizer.ggml.model", ("model", 1));
        Fails(Stories, "tokenizer.ggml.tokens", ("tokens", new int[512]));
        Fails(Stories, "tokenizer.ggml.tokens", ("tokens", "abc"));
        Fails(Stories, "tokenizer.ggml.scores", ("scores", new double[512]));
        Fails(Stories, "tokenizer.ggml.token_type", ("token_type", new float[512]));
        Fails(Stories, "tokenizer.ggml.add_bos_token", ("add_bos_token", 1));
        Fails(Stories, "tokenizer.ggml.bos_token_id", ("bos_token_id", "1"));
        Fails(Small, "tokenizer.ggml.merges", ("merges", new int[3]));
        Fails(Small, "tokenizer.ggml.pre", ("pre", 5));
    }

    [Fact]
    public void Unknown_names()
    {
        Fails<NotSupportedException>(Stories, "'rwkv'", ("model", "rwkv"));
        Fails<NotSupportedException>(Small, "'tekken'", ("pre", "tekken"));
        Fails<NotSupportedException>(Small, "gpt-2, gpt2, default", ("pre", ""));
    }

    [Fact]
    public void Lengths_that_differ()
    {
        Fails(Stories, "512 tokens, found 511", ("scores", new float[511]));
        Fails(Stories, "512 tokens, found 0", ("scores", Array.Empty<float>()));
        Fails(Stories, "512 tokens, found 513", ("token_type", new int[513]));
        Fails(Stories, "'tokenizer.ggml.tokens' is empty", ("tokens", Array.Empty<string>()));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Scores_that_are_no_number(float score)
    {
        var scores = (float[])Stories.GetArray<float>("tokenizer.ggml.scores")!.Clone();
        scores[300] = score;
        Fails(Stories, "token 300", ("scores", scores));
        Fails(Stories, "token 300", ("scores", scores), ("model", "t5"));
    }

    [Fact]
    public void Tokens_that_are_not_different()
    {
        var tokens = (string[])Stories.GetArray<string>("tokenizer.ggml.tokens")!.Clone();
        tokens[400] = tokens[300];
        Fails(Stories, $"tokens 300 and 400 are both '{tokens[300]}'", ("tokens", tokens));
    }

    [Fact]
    public void Token_types_out_of_range()
    {
        var types = (int[])Stories.GetArray<int>("tokenizer.ggml.token_type")!.Clone();
        foreach (var type in (int[])[7, -1, int.MinValue])
        {
            types[17] = type;
            Fails(Stories, $"token 17 the type {type}", ("token_type", types));
        }
    }

    [Fact]
    public void Ids_out_of_range()
    {
        foreach (var key in (string[])["bos_token_id", "eos_token_id", "unknown_token_id", "seperator_token_id", "padding_token_id", "eot_token_id", "eom_token_id", "cls_token_id"])
        {
            Fails(Stories, $"'tokenizer.ggml.{key}' is 512; token ids run from 0 to 511", ("bos_token_id", null), (key, 512u));
            Fails(Stories, $"'tokenizer.ggml.{key}' is -2", ("bos_token_id", null), (key, -2));
        }
    }

    [Fact]
    public void Begin_token_asked_for_but_not_named() =>
        Fails(Small, "tokenizer.ggml.add_bos_token", ("add_bos_token", true));

    [Fact]
    public void Merges_that_make_no_sense()
    {
        Fails(Small, "merge 1 ('a xy') needs 'xy'", Merges("a b", "a xy"));
        Fails(Small, "needs 'ba'", Merges("b a"));
        foreach (var line in (string[])["", "a", "ab ", " ab", "a b c", " ", "a  b"])
        {
            Fails(Small, $"merge 0 should be two pieces with one space between, found '{line}'", Merges(line));
        }
    }

    [Fact]
    public void Bytes_without_a_token()
    {
        var tokens = (string[])Stories.GetArray<string>("tokenizer.ggml.tokens")!.Clone();
        tokens[3 + 0x41] = "<0xZZ>";
        Fails(Stories, "token 68 is a byte", ("tokens", tokens));

        // Without an unknown token every byte that UTF-8 has must be there.
        var types = (int[])Stories.GetArray<int>("tokenizer.ggml.token_type")!.Clone();
        tokens[3 + 0x41] = "other";
        types[3 + 0x41] = 1;
        types[0] = 1;
        Fails(Stories, "<0x41>", ("tokens", tokens), ("token_type", types), ("unknown_token_id", null));

        var small = Small.GetArray<string>("tokenizer.ggml.tokens")!;
        small[0x41] = "other";
        Fails(Small, "byte 0x41", ("tokens", small));
    }

    [Fact]
    public void A_byte_without_a_token_becomes_the_unknown_token()
    {
        var small = Small.GetArray<string>("tokenizer.ggml.tokens")!;
        small['A'] = "other";
        var tokenizer = Tokenizer.FromMetadata(Small.With(("tokens", small), ("unknown_token_id", 256u)));
        Assert.Equal([66, 256, 66], tokenizer.Encode("BAB"));
    }

    [Fact]
    public void Word_pieces_without_an_unknown_token()
    {
        var types = Enumerable.Repeat(1, TestVocabularies.Bert.GetArray<int>("tokenizer.ggml.token_type")!.Length).ToArray();
        Fails(TestVocabularies.Bert, "unknown token", ("token_type", types), ("unknown_token_id", null));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void Normalization_tables_that_do_not_fit(int length)
    {
        var table = new byte[length];
        if (length > 0) table[0] = 8;
        if (length == 0) Assert.Equal("a", Unigram(table).Decode(Unigram(table).Encode("a")));
        else Fails(UnigramMetadata, "normalization table", ("precompiled_charsmap", table));

        static Tokenizer Unigram(byte[] table) => Tokenizer.FromMetadata(UnigramMetadata.With(("precompiled_charsmap", table)));
    }

    [Fact]
    public void Random_normalization_tables_are_refused_or_do_no_harm()
    {
        var refused = 0;
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var table = new byte[4 + 4 * 64 + random.Next(100)];
            random.NextBytes(table);
            (table[0], table[1], table[2], table[3]) = (0, 1, 0, 0);
            for (var i = 0; i < 64; i++) (table[5 + 4 * i], table[6 + 4 * i], table[7 + 4 * i]) = ((byte)(random.Next(8) / 7 + 4 * random.Next(16)), 0, 0);
            try
            {
                var tokenizer = Tokenizer.FromMetadata(UnigramMetadata.With(("precompiled_charsmap", table)));
                Assert.DoesNotContain(tokenizer.Encode(RandomText.Create(seed)), id => id < 0 || id >= tokenizer.VocabularySize);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith("changed.gguf: the normalization table (precompiled_charsmap) ", error.Message, StringComparison.Ordinal);
                refused++;
            }
        }
        Assert.InRange(refused, 20, 980);
    }

    [Fact]
    public void A_normalization_table_of_another_kind_of_model() =>
        Fails<NotSupportedException>(Stories, "precompiled_charsmap", ("precompiled_charsmap", new byte[8]));

    private static ModelMetadata UnigramMetadata => Stories.With(("model", "t5"));

    private static (string Key, object? Value) Merges(params string[] lines) => ("merges", lines);

    private static void Fails(ModelMetadata metadata, string says, params (string Key, object? Value)[] changes) =>
        Fails<InvalidDataException>(metadata, says, changes);

    private static void Fails<TException>(ModelMetadata metadata, string says, params (string Key, object? Value)[] changes)
        where TException : Exception
    {
        var error = Assert.Throws<TException>(() => Tokenizer.FromMetadata(metadata.With(changes)));
        Assert.StartsWith("changed.gguf: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }
}
