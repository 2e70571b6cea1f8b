using System.Text.Json;
using FastLayers.Tokenization;
using FastLayers.Tokenization.Unicode;

namespace FastLayers.Tests.Tokenization;

/// <summary>The same vocabulary gives the same ids from every kind of file.</summary>
public sealed class TokenizerFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string[] Gpt2Tokens => TestVocabularies.Gpt2.GetArray<string>("tokenizer.ggml.tokens")!;

    private static string[] Gpt2Merges => TestVocabularies.Gpt2.GetArray<string>("tokenizer.ggml.merges")!;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vocab.json", "merges.txt")]
    [InlineData("gpt2_vocab.json", "gpt2_merges.txt")]
    public void Gpt2_from_vocabulary_and_merges(string vocabularyName, string mergesName)
    {
        var path = _folder.Write(vocabularyName, Gpt2Vocabulary());
        _folder.Write(mergesName, "#version: 0.2\n" + string.Join('\n', Gpt2Merges) + "\n");
        AssertSameIds(TestVocabularies.Gpt2Tokenizer, Tokenizer.FromFile(path));
    }

    [Fact]
    public void A_merge_list_that_is_not_there()
    {
        foreach (var name in (string[])["vocab.json", "other.json"])
        {
            var path = _folder.Write(name, Gpt2Vocabulary());
            Assert.StartsWith(path, Assert.Throws<FileNotFoundException>(() => Tokenizer.FromFile(path)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gpt2_from_tokenizer_json(bool mergesAsPairs)
    {
        var merges = Gpt2Merges.Select(line => mergesAsPairs ? (object)line.Split(' ') : line);
        var path = WriteTokenizerJson(new
        {
            added_tokens = new[] { Added(50256, "<|endoftext|>") },
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true },
            post_processor = new { type = "ByteLevel" },
            model = new { type = "BPE", vocab = IdsByText(Gpt2Tokens), merges },
        });
        var tokenizer = Tokenizer.FromFile(path);
        AssertSameIds(TestVocabularies.Gpt2Tokenizer, tokenizer);
        Assert.Equal(50256, tokenizer.EndId);
        Assert.Equal([50256], tokenizer.Encode("<|endoftext|>", parseSpecial: true));
    }

    [Fact]
    public void Bert_from_a_word_list()
    {
        var tokenizer = Tokenizer.FromFile(_folder.Write("vocab.txt", string.Join('\n', BertWords()) + "\n"));
        TestVocabularies.AssertVectors(tokenizer, "ggml-vocab-bert-bge.gguf");
        AssertSameIds(TestVocabularies.BertTokenizer, tokenizer);
        Assert.Equal((101, 102, 102, 100, 0), (tokenizer.BeginId, tokenizer.EndId, tokenizer.SeparatorId, tokenizer.UnknownId, tokenizer.PadId));
        Assert.Equal([101, 103, 102], tokenizer.Encode("[MASK]", parseSpecial: true));
        Assert.Equal([100], tokenizer.Encode(new string('a', 101), addSpecial: false));
        Assert.NotEqual([100], tokenizer.Encode(new string('a', 100), addSpecial: false));
    }

    [Fact]
    public void A_cased_word_list_keeps_case_and_accents()
    {
        _folder.Write("tokenizer_config.json", """{"do_lower_case": false}""");
        var tokenizer = Tokenizer.FromFile(_folder.Write("vocab.txt", "[UNK]\nÉt\n##é\net\n##e\n"));
        Assert.Equal([1, 2], tokenizer.Encode("Été"));
        Assert.Equal("Été", tokenizer.Decode([1, 2]));
        Assert.Equal([0], tokenizer.Encode("été"));
    }

    [Fact]
    public void Bert_from_tokenizer_json()
    {
        var tokenizer = Tokenizer.FromFile(WriteTokenizerJson(new
        {
            added_tokens = new[] { Added(0, "[PAD]"), Added(100, "[UNK]"), Added(101, "[CLS]"), Added(102, "[SEP]"), Added(103, "[MASK]") },
            normalizer = new { type = "BertNormalizer", clean_text = true, handle_chinese_chars = true, strip_accents = (bool?)null, lowercase = true },
            pre_tokenizer = new { type = "BertPreTokenizer" },
            post_processor = new { type = "BertProcessing", sep = new object[] { "[SEP]", 102 }, cls = new object[] { "[CLS]", 101 } },
            model = new { type = "WordPiece", unk_token = "[UNK]", continuing_subword_prefix = "##", max_input_chars_per_word = 100, vocab = IdsByText(BertWords()) },
        }));
        TestVocabularies.AssertVectors(tokenizer, "ggml-vocab-bert-bge.gguf");
        AssertSameIds(TestVocabularies.BertTokenizer, tokenizer);
        Assert.Equal((101, 102, 102, 100, 0), (tokenizer.BeginId, tokenizer.EndId, tokenizer.SeparatorId, tokenizer.UnknownId, tokenizer.PadId));
    }

    [Fact]
    public void Unigram_from_tokenizer_json_and_from_metadata()
    {
        using var list = JsonDocument.Parse(File.ReadAllBytes(TestVocabularies.PathOf("use-lite-vocab.json")));
        var pieces = list.RootElement.EnumerateArray()
            .Select((entry, id) => (Text: id is 230 or 238 ? $"unused {id}" : entry[0].GetString()!, Score: entry[1].ValueKind == JsonValueKind.Null ? 0 : entry[1].GetSingle()))
            .ToArray();
        var fromJson = Tokenizer.FromFile(WriteTokenizerJson(new
        {
            added_tokens = new[] { Added(1, "<s>"), Added(2, "</s>") },
            normalizer = new { type = "NFKC" },
            pre_tokenizer = new { type = "Metaspace", replacement = "▁", prepend_scheme = "always", split = false },
            model = new { type = "Unigram", unk_id = 0, vocab = pieces.Select(piece => new object[] { piece.Text, piece.Score }) },
        }));
        var fromMetadata = Tokenizer.FromMetadata(TestVocabularies.Stories.With(
            ("model", "unigram"),
            ("tokens", pieces.Select(piece => piece.Text).ToArray()),
            ("scores", pieces.Select(piece => piece.Score).ToArray()),
            ("token_type", pieces.Select((_, id) => id == 0 ? 2 : id < 6 ? 3 : 1).ToArray()),
            ("bos_token_id", null), ("add_bos_token", null), ("add_eos_token", null)));
        Assert.True(fromMetadata.AddsEnd);
        foreach (var text in Texts())
        {
            // No normalization is part of the metadata here, so the text is given normalized; a space mark or space at its start is written differently.
            var normalized = UnicodeNormalizer.FormKC(text);
            if (normalized.StartsWith(' ')) continue;
            var ids = TestVocabularies.UniversalTokenizer.Encode(text, addSpecial: false);
            Assert.Equal(ids, fromJson.Encode(text, addSpecial: false));
            Assert.Equal(ids, fromMetadata.Encode(normalized, addSpecial: false));
        }
    }

    [Fact]
    public void A_list_of_pieces_that_is_no_list_of_pairs()
    {
        foreach (var content in (string[])["""["a"]""", """[["a"]]""", """[["a", "b"]]""", """[["a", -1, 2]]""", """[[1, -1]]""", """[["a", 1e99]]""", "[]"])
        {
            var path = _folder.Write("vocab.json", content);
            var error = Assert.Throws<InvalidDataException>(() => Tokenizer.FromFile(path));
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("vocab.json", "")]
    [InlineData("vocab.json", "{")]
    [InlineData("vocab.json", "5")]
    [InlineData("vocab.json", """{"a": "b"}""")]
    [InlineData("vocab.json", """{"a": -1}""")]
    [InlineData("vocab.json", """{"a": 0, "b": 0}""")]
    [InlineData("vocab.json", """{"a": 0, "a": 1}""")]
    [InlineData("vocab.json", """{"a": 2147483647}""")]
    [InlineData("vocab.json", """{"a": 99999999999}""")]
    [InlineData("vocab.json", """{"\ud800": 0}""")]
    [InlineData("vocab.json", """{"model": 7}""")]
    [InlineData("tokenizer.json", """{"model": {}}""")]
    [InlineData("vocab.txt", "a\na\n")]
    [InlineData("vocab.txt", "a\n##b\n")]
    [InlineData("vocab.txt", "")]
    public void Damaged_files_are_named(string name, string content)
    {
        var path = _folder.Write(name, content);
        _folder.Write("merges.txt", "");
        var error = Assert.Throws<InvalidDataException>(() => Tokenizer.FromFile(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_word_list_that_is_no_text()
    {
        var path = Path.Combine(_folder.Path, "vocab.txt");
        File.WriteAllBytes(path, [0x41, 0xFF, 0x0A]);
        Assert.Contains("UTF-8", Assert.Throws<InvalidDataException>(() => Tokenizer.FromFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_that_name_unknown_pieces()
    {
        var path = _folder.Write("vocab.json", Gpt2Vocabulary());
        var merges = _folder.Write("merges.txt", "#version: 0.2\nĠ t\nq zzz\n");
        var error = Assert.Throws<InvalidDataException>(() => Tokenizer.FromFile(path));
        Assert.Equal($"{merges}: merge 1 ('q zzz') needs 'zzz', which is not in the vocabulary.", error.Message);
        _folder.Write("merges.txt", "Ġt\n");
        Assert.Contains("two pieces", Assert.Throws<InvalidDataException>(() => Tokenizer.FromFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_are_not_there()
    {
        Assert.Throws<FileNotFoundException>(() => Tokenizer.FromFile(Path.Combine(_folder.Path, "tokenizer.json")));
        Assert.Throws<FileNotFoundException>(() => Tokenizer.FromFile(_folder.Path));
        Assert.Throws<ArgumentException>(() => Tokenizer.FromFile(""));
    }

    private static IEnumerable<string> Texts() =>
        TestVocabularies.Vectors("ggml-vocab-gpt-2.gguf").Select(vector => vector.Text).Concat(Enumerable.Range(0, 500).Select(RandomText.Create));

    private static void AssertSameIds(Tokenizer expected, Tokenizer actual)
    {
        Assert.Equal(expected.VocabularySize, actual.VocabularySize);
        foreach (var text in Texts())
        {
            Assert.Equal(expected.Encode(text), actual.Encode(text));
            Assert.Equal(expected.Decode(expected.Encode(text)), actual.Decode(actual.Encode(text)));
        }
    }

    private static object Added(int id, string content) =>
        new { id, content, single_word = false, lstrip = false, rstrip = false, normalized = false, special = true };

    private static Dictionary<string, int> IdsByText(string[] tokens) =>
        tokens.Select((text, id) => (text, id)).ToDictionary(token => token.text, token => token.id);

    private static string Gpt2Vocabulary() => JsonSerializer.Serialize(IdsByText(Gpt2Tokens));

    private static string[] BertWords()
    {
        var types = TestVocabularies.Bert.GetArray<int>("tokenizer.ggml.token_type")!;
        var tokens = TestVocabularies.Bert.GetArray<string>("tokenizer.ggml.tokens")!;
        return [.. tokens.Select((text, id) => text.StartsWith('▁') ? text[1..] : types[id] == 3 || text.StartsWith("[unused", StringComparison.Ordinal) ? text : "##" + text)];
    }

    private string WriteTokenizerJson(object content) => _folder.Write("tokenizer.json", JsonSerializer.Serialize(content));
}
