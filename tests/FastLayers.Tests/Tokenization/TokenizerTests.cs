using System.Text;
using FastLayers.Loading;
using FastLayers.Tokenization;
using FsCheck.Xunit;

namespace FastLayers.Tests.Tokenization;

public class TokenizerTests
{
    private static readonly Tokenizer s_sentencePiece = TokenizerVectorTests.Open(TestPaths.Sample("stories260K.gguf"));
    private static readonly Tokenizer s_byteLevel = TokenizerVectorTests.Open(TestPaths.Data("tokenizers", "ggml-vocab-gpt-2.gguf"));

    [Property(MaxTest = 300)]
    public bool Random_unicode_comes_back(string? text)
    {
        text = Mixed(text);
        return RoundTrips(s_sentencePiece, text) && RoundTrips(s_byteLevel, text);
    }

    [Property(MaxTest = 100)]
    public bool Tokens_decoded_one_by_one_give_the_whole(string? text)
    {
        text = Mixed(text);
        foreach (var tokenizer in new[] { s_sentencePiece, s_byteLevel })
        {
            int[] ids = tokenizer.Encode(text);
            var decoder = tokenizer.CreateStreamingDecoder(startsText: true);
            var pieces = new StringBuilder();
            foreach (int id in ids) pieces.Append(decoder.Append(id));
            if (pieces.Append(decoder.Flush()).ToString() != tokenizer.Decode(ids)) return false;
        }

        return true;
    }

    [Fact]
    public void Unfinished_characters_are_held_back()
    {
        int[] ids = s_sentencePiece.Encode("😀", addSpecial: false);
        var decoder = s_sentencePiece.CreateStreamingDecoder(startsText: true);
        string[] pieces = [.. ids.Select(decoder.Append)];

        Assert.Equal("😀", string.Concat(pieces));
        Assert.All(pieces[..^1], piece => Assert.Equal("", piece));
        decoder.Append(ids[^4]);
        Assert.Equal("\uFFFD", decoder.Flush());
    }

    [Fact]
    public void Lone_surrogates_count_as_replacement_characters()
    {
        foreach (var tokenizer in new[] { s_byteLevel, s_sentencePiece })
        {
            Assert.Equal("\uFFFD", tokenizer.Decode(tokenizer.Encode("\uD83D")));
            Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode("a\uDE00b")));
        }
    }

    [Fact]
    public void Control_tokens_are_parsed_only_on_request()
    {
        Assert.Equal(2, s_sentencePiece.Encode("</s>", addSpecial: false, parseSpecial: true)[^1]);
        Assert.DoesNotContain(2, s_sentencePiece.Encode("</s>"));
        Assert.True(s_sentencePiece.IsSpecial(1));
        Assert.Equal("hi", s_sentencePiece.Decode(s_sentencePiece.Encode("hi")));
        Assert.Equal("<s>hi", s_sentencePiece.Decode(s_sentencePiece.Encode("hi"), skipSpecial: false).Replace(" ", "", StringComparison.Ordinal));
    }

    /// <summary>Quadratic time would take minutes here.</summary>
    [Theory]
    [InlineData('a')]
    [InlineData(' ')]
    [InlineData('é')]
    public void A_megabyte_of_one_character_is_encoded(char character)
    {
        string text = new(character, 1 << 20);
        Assert.Equal(text, s_byteLevel.Decode(s_byteLevel.Encode(text)));
        Assert.Equal(text, s_sentencePiece.Decode(s_sentencePiece.Encode(text)));
    }

    [Theory]
    [InlineData("qwen2", "it's 2024!\n\n ok", new[] { "it", "'s", " ", "2", "0", "2", "4", "!\n\n", " ok" })]
    [InlineData("llama-bpe", "IT'S 20245 日本", new[] { "IT", "'S", " ", "202", "45", " 日本" })]
    [InlineData("gpt-2", "it's 2024!\n\n ok", new[] { "it", "'s", " 2024", "!", "\n\n", " ok" })]
    [InlineData("smollm", "a 12b", new[] { "a", " ", "1", "2", "b" })]
    [InlineData("gpt-2", "𝐀𝐁 x", new[] { "𝐀𝐁", " x" })]
    public void Words_are_cut_as_published(string name, string text, string[] expected) =>
        Assert.Equal(expected, WordPatternTests.Cut(WordPatterns.TryGet(name, out var words) ? words.Patterns : [], text));

    [Fact]
    public void A_vocabulary_file_of_gpt2_gives_the_ids_of_the_gguf_file()
    {
        using var file = ModelFile.Open(TestPaths.Data("tokenizers", "ggml-vocab-gpt-2.gguf"));
        string folder = Directory.CreateTempSubdirectory().FullName;
        string[] tokens = file.Metadata.GetArray<string>("tokenizer.ggml.tokens")!;
        File.WriteAllText(Path.Combine(folder, "vocab.json"), System.Text.Json.JsonSerializer.Serialize(tokens.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => p.i)));
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), ["#version: 0.2", .. file.Metadata.GetArray<string>("tokenizer.ggml.merges")!]);
        string text = File.ReadAllText(TestPaths.Data("tokenizers", "ggml-vocab-gpt-2.gguf.inp"));

        var tokenizer = Tokenizer.FromFile(Path.Combine(folder, "vocab.json"));

        Assert.Equal(s_byteLevel.Encode(text), tokenizer.Encode(text));
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<string, string, object?> BadMetadata => new()
    {
        { "model is missing", "tokenizer.ggml.model", null },
        { "type", "tokenizer.ggml.model", 3 },
        { "tokens", "tokenizer.ggml.tokens", null },
        { "empty", "tokenizer.ggml.tokens", Array.Empty<string>() },
        { "scores", "tokenizer.ggml.scores", new float[3] },
        { "scores", "tokenizer.ggml.scores", null },
        { "array", "tokenizer.ggml.scores", new int[512] },
        { "NaN", "tokenizer.ggml.scores", Enumerable.Repeat(float.NaN, 512).ToArray() },
        { "types", "tokenizer.ggml.token_type", new int[5] },
        { "eos_token_id", "tokenizer.ggml.eos_token_id", 512u },
    };

    [Theory]
    [MemberData(nameof(BadMetadata))]
    public void Bad_metadata_is_refused_by_name(string what, string key, object? value)
    {
        using var file = ModelFile.Open(TestPaths.Sample("stories260K.gguf"));
        var values = file.Metadata.Values.ToDictionary(p => p.Key, p => p.Value);
        if (value is null) values.Remove(key);
        else values[key] = value;

        var exception = Assert.Throws<InvalidDataException>(() => Tokenizer.FromMetadata(new ModelMetadata("bad.gguf", values)));

        Assert.Contains("bad.gguf", exception.Message, StringComparison.Ordinal);
        Assert.True(exception.Message.Contains(what, StringComparison.Ordinal) || exception.Message.Contains(key, StringComparison.Ordinal), exception.Message);
    }

    [Fact]
    public void Unknown_kinds_are_refused_by_name()
    {
        using var file = ModelFile.Open(TestPaths.Data("tokenizers", "ggml-vocab-gpt-2.gguf"));
        var values = file.Metadata.Values.ToDictionary(p => p.Key, p => p.Value);
        values["tokenizer.ggml.pre"] = "martian";
        Assert.Contains("martian", Assert.Throws<NotSupportedException>(() => Tokenizer.FromMetadata(new ModelMetadata("x", values))).Message, StringComparison.Ordinal);
        values["tokenizer.ggml.pre"] = "gpt-2";
        values["tokenizer.ggml.merges"] = new[] { "Ġ t", "qqqq zzzz" };
        Assert.Contains("qqqq zzzz", Assert.Throws<InvalidDataException>(() => Tokenizer.FromMetadata(new ModelMetadata("x", values))).Message, StringComparison.Ordinal);
    }

    /// <summary>FsCheck prefers ASCII; some characters of every plane are mixed in, and no lone surrogates left.</summary>
    private static string Mixed(string? text)
    {
        var random = new Random(text?.GetHashCode(StringComparison.Ordinal) ?? 0);
        var mixed = new StringBuilder(text);
        for (int i = 0; i < 6; i++)
        {
            int code = random.Next(0x110000 - 0x800);
            mixed.Append(new Rune(code >= 0xD800 ? code + 0x800 : code).ToString());
            if (random.Next(3) == 0) mixed.Append(' ');
        }

        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(mixed.ToString()));
    }

    private static bool RoundTrips(Tokenizer tokenizer, string text) => tokenizer.Decode(tokenizer.Encode(text)) == text;
}
