using System.Text;

namespace FastLayers.Fuzz;

/// <summary>Hugging Face tokenizers with a small vocabulary of each kind, and all sorts of steps.</summary>
public static class TokenizerJsonSeeds
{
    private const string Merges = """
        {"version": "1.0", "truncation": null, "padding": null,
         "added_tokens": [
           {"id": 0, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
           {"id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
           {"id": 9, "content": "abc", "single_word": true, "lstrip": true, "rstrip": true, "normalized": false, "special": false}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
         "pre_tokenizer": null,
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
         "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
           {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
         "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
           "vocab": {"<unk>": 0, "<s>": 1, "<0xC3>": 2, "<0xA9>": 3, "▁": 4, "a": 5, "b": 6, "ab": 7, "▁ab": 8}, "merges": ["a b", ["▁", "ab"]]}}
        """;

    private const string Words = """
        {"added_tokens": [{"id": 0, "content": "[UNK]", "special": true}, {"id": 1, "content": "[CLS]", "special": true}],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[UNK]", 0]},
         "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
           "vocab": {"[UNK]": 0, "[CLS]": 1, "a": 2, "##b": 3, ".": 4}}}
        """;

    private const string Unigram = """
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "TABLE"},
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}]},
         "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
         "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [["<unk>", 0.0], ["▁", -1], ["a", -2.5], ["▁ab", -2.25], ["b", -3e0]]}}
        """;

    public static FuzzSeed[] Make() =>
    [
        Seed("json-merges", Merges), Seed("json-words", Words),
        Seed("json-unigram", Unigram.Replace("TABLE", Convert.ToBase64String(NormalizationTable()), StringComparison.Ordinal)),
    ];

    /// <summary>A table that replaces <c>x</c> by <c>b</c>: the root's children lie from 1 on, and those of the only key from its unit's place ^ 1.</summary>
    public static byte[] NormalizationTable()
    {
        const uint keyEnd = 0x100, value = 0x8000_0000;
        var units = new uint[128];
        units[0] = 1 << 10;
        units[1 ^ 'x'] = 1 << 10 | keyEnd | 'x';
        units['x'] = value;
        var table = new byte[4 + 4 * units.Length];
        BitConverter.TryWriteBytes(table, 4 * units.Length);
        Buffer.BlockCopy(units, 0, table, 4, 4 * units.Length);
        return [.. table, (byte)'b', 0];
    }

    private static FuzzSeed Seed(string name, string json) => new(name, "tokenizer.json",
    [
        new FuzzFile("tokenizer.json", Encoding.UTF8.GetBytes(json), FileKind.Json),
        new FuzzFile("tokenizer_config.json", """{"bos_token": {"content": "<s>"}, "eos_token": "a", "add_bos_token": true, "add_eos_token": false}"""u8.ToArray(), FileKind.Json),
        new FuzzFile("generation_config.json", """{"eos_token_id": [1, 2]}"""u8.ToArray(), FileKind.Json),
    ]);
}
