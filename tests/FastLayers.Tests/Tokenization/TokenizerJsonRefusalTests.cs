namespace FastLayers.Tests.Tokenization;

/// <summary>A <c>tokenizer.json</c> that asks for what is not done is refused by file, step and option, never read in part.</summary>
public sealed class TokenizerJsonRefusalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "tokenizer.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("normalizer", """{"type": "Nmt"}""", "normalizer.type \"Nmt\"")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "ByteLevel"}]}""", "normalizer (Sequence).normalizers.1.type \"ByteLevel\"")]
    [InlineData("normalizer", """{"type": "NFC", "form": 5}""", """normalizer (NFC).form 5""")]
    [InlineData("normalizer", """{"type": "Replace", "pattern": {"Regex": "a+"}, "content": ""}""", """normalizer (Replace).pattern {"Regex":"a\u002B"}""")]
    [InlineData("normalizer", """{"type": "Replace", "pattern": {"String": ""}, "content": ""}""", """normalizer (Replace).pattern {"String":""}""")]
    [InlineData("normalizer", """{"type": "Replace", "pattern": {}, "content": ""}""", "normalizer (Replace).pattern {}")]
    [InlineData("normalizer", """{"type": "BertNormalizer"}""", """normalizer {"type":"BertNormalizer"}""")]
    [InlineData("normalizer", """{"type": "BertNormalizer", "remove_digits": true}""", """normalizer (BertNormalizer).remove_digits""")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "BertNormalizer"}, {"type": "NFC"}]}""", """normalizers.1 {"type":"NFC"}""")]
    [InlineData("pre_tokenizer", """{"type": "UnicodeScripts"}""", "pre_tokenizer.type \"UnicodeScripts\"")]
    [InlineData("pre_tokenizer", """{"type": "Whitespace"}""", "pre_tokenizer.type \"Whitespace\"")]
    [InlineData("pre_tokenizer", """{"type": "WhitespaceSplit"}""", """pre_tokenizer {"type":"WhitespaceSplit"}""")]
    [InlineData("pre_tokenizer", """{"type": "BertPreTokenizer"}""", """pre_tokenizer {"type":"BertPreTokenizer"}""")]
    [InlineData("pre_tokenizer", """{"type": "Digits"}""", """pre_tokenizer {"type":"Digits"}""")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "replacement": "_"}""", "pre_tokenizer (Metaspace).replacement \"_\"")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "keeps": 1}""", """pre_tokenizer (Metaspace).keeps 1""")]
    [InlineData("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": false, "lowercase": true}""", """pre_tokenizer (ByteLevel).lowercase true""")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Metaspace"}, {"type": "Digits"}]}""", """pretokenizers.1 {"type":"Digits"}""")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "ByteLevel"}]}""", """pretokenizers.1 (ByteLevel)""")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"Regex": "a|b"}, "behavior": "Isolated"}""", """pre_tokenizer (Split).pattern {"Regex":"a|b"}""")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"Regex": "\\p{N}"}, "behavior": "Removed"}""", """pre_tokenizer (Split)""")]
    [InlineData("pre_tokenizer", """{"type": "Split", "pattern": {"String": ","}, "behavior": "Isolated"}""", """pre_tokenizer (Split).pattern {"String":","}""")]
    [InlineData("post_processor", """{"type": "Other"}""", "post_processor.type \"Other\"")]
    [InlineData("post_processor", """{"type": "ByteLevel", "lowercase": true}""", """post_processor (ByteLevel).lowercase true""")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 1}}], "special_tokens": {}}""", """single.0.Sequence.type_id 1""")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": {}}""", """post_processor (TemplateProcessing).single""")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [], "special_tokens": {}}""", """post_processor (TemplateProcessing).single""")]
    [InlineData("post_processor", """{"type": "Sequence", "processors": [{"type": "BertProcessing", "cls": ["<s>", 1], "sep": ["</s>", 2]}, {"type": "BertProcessing", "cls": ["<s>", 1], "sep": ["</s>", 2]}]}""", "processors.1 {\"type\":\"BertProcessing\"")]
    [InlineData("decoder", """{"type": "CTC"}""", "decoder.type \"CTC\"")]
    [InlineData("decoder", """{"type": "BPEDecoder", "suffix": "</w>"}""", "decoder.type \"BPEDecoder\"")]
    [InlineData("decoder", """{"type": "ByteLevel"}""", """decoder {"type":"ByteLevel"}""")]
    [InlineData("decoder", """{"type": "WordPiece"}""", """decoder {"type":"WordPiece"}""")]
    [InlineData("decoder", """{"type": "Metaspace"}""", """decoder {"type":"Metaspace"}""")]
    [InlineData("decoder", """{"type": "Fuse"}""", """decoder {"type":"Fuse"}""")]
    [InlineData("decoder", """{"type": "Replace", "pattern": {"String": "_"}, "content": " "}""", "decoder {\"type\":\"Replace\"")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": [{"type": "Strip", "content": " ", "start": 1, "stop": 0}]}""", """decoder (Sequence).decoders.0 (Strip)""")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]}""", """decoder (Sequence).decoders.1 (Strip)""")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}""", """decoder (Sequence).decoders.1""")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": [{"type": "Metaspace"}, {"type": "Metaspace"}]}""", """decoder (Sequence).decoders.1""")]
    [InlineData("added_tokens", """[{"id": 12, "content": "<tool>", "normalized": true}]""", """added_tokens.0""")]
    [InlineData("added_tokens", """[{"id": 12, "content": "<tool>", "stripped": true}]""", """added_tokens.0.stripped true""")]
    [InlineData("model.type", "\"Other\"", "model.type \"Other\"")]
    [InlineData("model.dropout", """0.1""", """model.dropout 0.1""")]
    [InlineData("model.ignore_merges", """true""", """model.ignore_merges true""")]
    [InlineData("model.cache", """3""", """model.cache 3""")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", """model.end_of_word_suffix""")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix \"##\"")]
    [InlineData("version", "\"2.0\"", "version \"2.0\"")]
    [InlineData("extra", """1""", """extra 1""")]
    public void What_is_not_supported_is_named(string place, string json, string says)
    {
        var error = Assert.Throws<NotSupportedException>(() => _folder.OpenTokenizer(TokenizerJsonTests.LlamaLike, (place, json)));
        Assert.StartsWith($"{File}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains(" is not supported; supported is ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("normalizer", """{"kind": "NFC"}""")]
    [InlineData("normalizer", """{"type": "Replace", "pattern": "a", "content": ""}""")]
    [InlineData("normalizer", """{"type": "Precompiled", "precompiled_charsmap": "?"}""")]
    [InlineData("normalizer", """{"type": "Precompiled", "precompiled_charsmap": "AAAA"}""")]
    [InlineData("normalizer", """{"type": "Strip", "strip_left": 1, "strip_right": true}""")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "prepend_scheme": "often"}""")]
    [InlineData("pre_tokenizer", """5""")]
    [InlineData("post_processor", """{"type": "BertProcessing", "cls": ["<s>", 99], "sep": ["</s>", 2]}""")]
    [InlineData("post_processor", """{"type": "BertProcessing", "cls": [], "sep": ["</s>", 2]}""")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<x>"}}], "special_tokens": {}}""")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": 5}""")]
    [InlineData("decoder", """{"type": 5}""")]
    [InlineData("added_tokens", """[{"id": 3, "content": "other"}]""")]
    [InlineData("added_tokens", """[{"id": -3, "content": "other"}]""")]
    [InlineData("added_tokens", """[{"id": 9999999, "content": "other"}]""")]
    [InlineData("added_tokens", """[{"content": "other"}]""")]
    [InlineData("added_tokens", """[{"id": 12, "content": "a"}]""")]
    [InlineData("model.vocab", """[]""")]
    [InlineData("model.vocab", """{"a": 1.5}""")]
    [InlineData("model.merges", """["a q"]""")]
    [InlineData("model.merges", """["ab"]""")]
    [InlineData("model.merges", """[["a"]]""")]
    [InlineData("model.merges", """["a b", "▁ ab", "a b"]""")]
    [InlineData("model.merges", """null""")]
    [InlineData("model.byte_fallback", """1""")]
    [InlineData("model.dropout", "\"0\"")]
    public void What_is_damaged_is_named(string place, string json)
    {
        var error = Assert.Throws<InvalidDataException>(() => _folder.OpenTokenizer(TokenizerJsonTests.LlamaLike, (place, json)));
        Assert.StartsWith($"{File}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_there_twice()
    {
        var path = _folder.Write("tokenizer.json", """{"model": {"type": "BPE", "type": "Unigram"}}""");
        Assert.Contains("'type'", Assert.Throws<InvalidDataException>(() => FastLayers.Tokenization.Tokenizer.FromFile(path)).Message, StringComparison.Ordinal);
    }

    /// <summary>Without a change the file is read: what is refused above is refused for the change.</summary>
    [Fact]
    public void The_file_without_a_change_is_read() => Assert.Equal(15, _folder.OpenTokenizer(TokenizerJsonTests.LlamaLike).VocabularySize);
}
