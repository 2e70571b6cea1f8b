using System.Text.Json.Nodes;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>What the parts of a <c>tokenizer.json</c> do, on a vocabulary small enough to follow by hand.</summary>
public sealed class TokenizerJsonTests : IDisposable
{
    internal const string LlamaLike = """
        {
          "added_tokens": [
            {"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true}, {"id": 2, "content": "</s>", "special": true},
            {"id": 12, "content": "<tool>", "special": false}, {"id": 13, "content": "<mask>", "special": true, "lstrip": true, "rstrip": true},
            {"id": 14, "content": "cat", "special": false, "single_word": true}
          ],
          "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
          "pre_tokenizer": null,
          "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
          "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
            "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "<0xC3>": 3, "<0xA9>": 4, "▁": 5, "a": 6, "b": 7, "c": 8, "ab": 9, "▁ab": 10, "bc": 11},
            "merges": ["a b", "▁ ab", "b c"]}
        }
        """;

    private const string BertLike = """
        {
          "added_tokens": [{"id": 0, "content": "[UNK]", "special": true}],
          "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
          "pre_tokenizer": {"type": "BertPreTokenizer"},
          "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
          "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 3,
            "vocab": {"[UNK]": 0, "a": 1, "##b": 2, ".": 3, "'": 4, "𝐀": 5, "##𝐀": 6, "i": 7, "##\u0307": 8}}
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Character_bpe_merges_and_falls_back_to_bytes()
    {
        var tokenizer = Open(LlamaLike);
        Assert.Equal((1, 2, 0), (tokenizer.BeginId, tokenizer.EndId, tokenizer.UnknownId));
        Assert.Equal([1, 10, 8, 5, 11], tokenizer.Encode("abc bc"));
        Assert.Equal("abc bc", tokenizer.Decode([1, 10, 8, 5, 11]));
        Assert.Equal([5, 3, 4, 6], tokenizer.Encode("éa", addSpecial: false));
        Assert.Equal("éa", tokenizer.Decode([5, 3, 4, 6]));
        Assert.Equal([5, 0, 6, 0], tokenizer.Encode("xxax", addSpecial: false)); // no bytes for x
        Assert.Equal([1], tokenizer.Encode(""));
    }

    [Fact]
    public void Unknown_characters_stay_apart_if_the_file_says_so() =>
        Assert.Equal([5, 0, 0], Open(LlamaLike, ("model.fuse_unk", "false")).Encode("xx", addSpecial: false));

    [Fact]
    public void Added_tokens_follow_their_rules()
    {
        var tokenizer = Open(LlamaLike);
        Assert.Equal([10, 12, 10], tokenizer.Encode("ab<tool>ab", addSpecial: false));
        Assert.Equal([10, 13, 10], tokenizer.Encode("ab  <mask>\n ab", addSpecial: false, parseSpecial: true));
        Assert.Equal([13], tokenizer.Encode("  <mask> ", addSpecial: false, parseSpecial: true));
        Assert.Equal([14, 5, 5, 14, 5, 5, 8, 6, 0, 7], tokenizer.Encode("cat cat catb", addSpecial: false)); // the last is no word of its own
    }

    [Fact]
    public void Configuration_beside_the_file_names_roles()
    {
        _folder.Write("tokenizer_config.json", """{"bos_token": {"content": "</s>"}, "eos_token": "<tool>", "pad_token": "<mask>", "add_eos_token": true}""");
        _folder.Write("generation_config.json", """{"eos_token_id": [2, 12]}""");
        var tokenizer = Open(LlamaLike);
        Assert.Equal((2, 12, 13), (tokenizer.BeginId, tokenizer.EndId, tokenizer.PadId));
        Assert.Equal([2, 12], tokenizer.EndIds.Order());
        Assert.Equal([1, 10, 12], tokenizer.Encode("ab"));
        Assert.True(tokenizer.IsSpecial(12));

        _folder.Write("generation_config.json", """{"eos_token_id": 99}""");
        Assert.Throws<InvalidDataException>(() => Open(LlamaLike));
    }

    [Theory]
    [InlineData("always", true, new[] { 10, 5, 6, 12, 10 })]
    [InlineData("first", true, new[] { 10, 5, 6, 12, 9 })]
    [InlineData("never", true, new[] { 9, 5, 6, 12, 9 })]
    public void Metaspace_puts_space_marks(string scheme, bool split, int[] expected)
    {
        var step = $$"""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "{{scheme}}", "split": {{(split ? "true" : "false")}}}""";
        var tokenizer = Open(LlamaLike, ("normalizer", "null"), ("pre_tokenizer", step));
        Assert.Equal(expected, tokenizer.Encode("ab a<tool>ab", addSpecial: false));
    }

    [Fact]
    public void Cuts_before_spaces_keep_tokens_inside_words()
    {
        const string vocabulary = """{"<unk>": 0, "▁": 1, "a": 2, "a▁": 3, "▁a": 4}""";
        var uncut = Open(LlamaLike, ("added_tokens", "[]"), ("post_processor", "null"), ("normalizer", "null"), ("model.vocab", vocabulary), ("model.merges", """["a ▁", "▁ a"]"""),
            ("pre_tokenizer", """{"type": "Metaspace", "split": false}"""));
        var cut = Open(LlamaLike, ("added_tokens", "[]"), ("post_processor", "null"), ("normalizer", "null"), ("model.vocab", vocabulary), ("model.merges", """["a ▁", "▁ a"]"""),
            ("pre_tokenizer", """{"type": "Metaspace"}"""));
        Assert.Equal([1, 3, 2], uncut.Encode("a a"));
        Assert.Equal([4, 4], cut.Encode("a a"));
    }

    [Theory]
    [InlineData("""{"type": "NFC"}""", "e\u0301", "é")]
    [InlineData("""{"type": "NFD"}""", "é", "e\u0301")]
    [InlineData("""{"type": "NFKC"}""", "ﬁ①", "fi1")]
    [InlineData("""{"type": "NFKD"}""", "①é", "1e\u0301")]
    [InlineData("""{"type": "Lowercase"}""", "ÀB", "àb")]
    [InlineData("""{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}""", "Ầé", "Ae")]
    [InlineData("""{"type": "Strip", "strip_left": true, "strip_right": false}""", " a ", "a ")]
    [InlineData("""{"type": "Strip", "strip_left": false, "strip_right": true}""", " a ", " a")]
    [InlineData("""{"type": "Strip", "strip_left": true, "strip_right": true}""", " a ", "a")]
    [InlineData("""{"type": "Replace", "pattern": {"String": "ab"}, "content": "c"}""", "abab", "cc")]
    [InlineData("""{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "_"}""", "a   b c  ", "a_b c_")]
    [InlineData("""{"type": "Prepend", "prepend": "x"}""", "a", "xa")]
    public void Normalizers_change_the_text(string normalizer, string text, string expected)
    {
        var bytes = new JsonObject();
        for (var value = 0; value < 256; value++) bytes[ByteAlphabet.ToChar((byte)value).ToString()] = value;
        var tokenizer = Open(LlamaLike, ("added_tokens", "[]"), ("post_processor", "null"), ("normalizer", normalizer),
            ("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": false}"""), ("model.vocab", bytes.ToJsonString()), ("model.merges", "[]"));
        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Theory]
    [InlineData("""{"type": "ByteLevel"}""", "a1 2", " a1 2")]
    [InlineData("""{"type": "ByteLevel"}""", " a", " a")]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": false}""", "ab", "ab")]
    public void Byte_level_can_put_a_space_first(string step, string text, string expected)
    {
        var bytes = new JsonObject();
        for (var value = 0; value < 256; value++) bytes[ByteAlphabet.ToChar((byte)value).ToString()] = value;
        var tokenizer = Open(LlamaLike, ("added_tokens", "[]"), ("post_processor", "null"), ("normalizer", "null"),
            ("pre_tokenizer", step), ("model.vocab", bytes.ToJsonString()), ("model.merges", "[]"));
        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Theory]
    [InlineData("false", new[] { 97, 98 })]
    [InlineData("true", new[] { 256 })]
    public void Whole_words_can_come_before_merges(string ignoreMerges, int[] expected)
    {
        var ids = new JsonObject();
        for (var value = 0; value < 256; value++) ids[ByteAlphabet.ToChar((byte)value).ToString()] = value;
        ids["ab"] = 256;
        var tokenizer = Open(LlamaLike, ("added_tokens", "[]"), ("post_processor", "null"), ("normalizer", "null"), ("model.ignore_merges", ignoreMerges),
            ("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": false}"""), ("model.vocab", ids.ToJsonString()), ("model.merges", "[]"));
        Assert.Equal(expected, tokenizer.Encode("ab"));
    }

    [Theory]
    [MemberData(nameof(WordPatternTests.Patterns), MemberType = typeof(WordPatternTests))]
    public void Published_expressions_are_recognized(string name, string expression)
    {
        var split = new JsonObject
        {
            ["type"] = "Split",
            ["pattern"] = new JsonObject { ["Regex"] = expression },
            ["behavior"] = "Isolated",
            ["invert"] = false,
        };
        var steps = name switch
        {
            "each digit" => new JsonArray(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }),
            "digit runs" => new JsonArray(new JsonObject { ["type"] = "Digits", ["individual_digits"] = false }),
            _ => new JsonArray(split),
        };
        steps.Add(new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false });
        var pipeline = new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = steps };

        // Every pair of neighbors merges, so that a token is a word.
        var ids = new JsonObject();
        for (var value = 0; value < 256; value++) ids[ByteAlphabet.ToChar((byte)value).ToString()] = value;
        foreach (var pair in (string[])["1a", "12", "123", "1234", "a1", "ab"]) ids[pair] = ids.Count;
        var tokenizer = Open(LlamaLike, ("added_tokens", "[]"), ("post_processor", "null"), ("normalizer", "null"), ("pre_tokenizer", pipeline.ToJsonString()),
            ("model.vocab", ids.ToJsonString()), ("model.merges", """["1 2", "12 3", "123 4", "1 a", "a 1", "a b"]"""));
        var expected = name switch
        {
            "gpt-2" or "digit runs" => "ab|1234|ab",
            "llama-bpe" => "ab|123|4|ab",
            _ => "ab|1|2|3|4|ab",
        };
        Assert.Equal(expected, string.Join('|', tokenizer.Encode("ab1234ab").Select(tokenizer.TokenText)));
    }

    [Theory]
    [InlineData("true", "ab. a '")]
    [InlineData("false", "ab . a '")]
    public void Word_pieces_are_joined_as_the_decoder_says(string cleanUp, string expected)
    {
        var tokenizer = Open(BertLike, ("decoder.cleanup", cleanUp));
        Assert.Equal([1, 2, 3, 1, 4], tokenizer.Encode("AB.a'"));
        Assert.Equal(expected, tokenizer.Decode([1, 2, 3, 1, 4]));
        Assert.Equal(".", tokenizer.Decode([3]));
    }

    [Fact]
    public void The_longest_word_is_counted_in_characters()
    {
        var tokenizer = Open(BertLike);
        Assert.Equal([5, 6, 6], tokenizer.Encode("𝐀𝐀𝐀"));
        Assert.Equal([0], tokenizer.Encode("𝐀𝐀𝐀𝐀"));
        Assert.Equal([1, 2, 2], tokenizer.Encode("abb"));
        Assert.Equal([0], tokenizer.Encode("abbb"));
    }

    [Fact]
    public void A_dotted_capital_i_becomes_two_characters_where_accents_stay() =>
        Assert.Equal([7, 8], Open(BertLike, ("normalizer.strip_accents", "false")).Encode("İ"));

    [Theory]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true}""", false, "ab ab")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true}""", false, " ab ab")]
    [InlineData("""{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}""", true, " ab ab")]
    [InlineData("""{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}""", true, "ab ab")]
    [InlineData("null", true, "ab ab")]
    public void The_decoder_says_whether_the_first_space_stays(string decoder, bool byteFallback, string expected)
    {
        var tokenizer = Open(LlamaLike, ("decoder", decoder), ("model.byte_fallback", byteFallback ? "true" : "false"));
        Assert.Equal([10, 10], tokenizer.Encode("ab ab", addSpecial: false));
        Assert.Equal(expected, tokenizer.Decode([10, 10]));
    }

    [Fact]
    public void White_space_between_words_becomes_marks()
    {
        var tokenizer = Open(LlamaLike, ("normalizer", "null"),
            ("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true}]}"""));
        Assert.Equal([10, 5, 11], tokenizer.Encode(" ab\t\n bc ", addSpecial: false));
    }

    [Fact]
    public void Truncation_and_padding_are_left_to_the_caller()
    {
        var tokenizer = Open(LlamaLike, ("version", "\"1.0\""), ("truncation", """{"max_length": 1}"""), ("padding", """{"strategy": {"Fixed": 9}}"""));
        Assert.Equal([1, 10, 8, 5, 11], tokenizer.Encode("abc bc"));
    }

    [Fact]
    public void Changed_bytes_are_refused_or_harmless()
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(LlamaLike);
        var path = Path.Combine(_folder.Path, "tokenizer.json");
        var refused = 0;
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var changed = bytes.ToArray();
            for (var left = random.Next(1, 4); left > 0; left--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, changed);
            try
            {
                var tokenizer = Tokenizer.FromFile(path);
                Assert.DoesNotContain(tokenizer.Encode("ab<tool> éx"), id => id < 0 || id >= tokenizer.VocabularySize);
            }
            catch (Exception error) when (error is InvalidDataException or NotSupportedException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1000, 2999);
    }

    private Tokenizer Open(string json, params (string Place, string Json)[] changes) => _folder.OpenTokenizer(json, changes);
}
