namespace FastLayers.Tokenization;

/// <summary>What <c>tokenizer_config.json</c> and <c>generation_config.json</c> beside a tokenizer file say about special tokens.</summary>
internal sealed class TokenizerConfig
{
    private readonly JsonPart? _config;
    private readonly JsonPart? _generation;

    public TokenizerConfig(string tokenizerPath)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(tokenizerPath)) ?? "";
        _config = ReadIfThere(Path.Combine(folder, "tokenizer_config.json"));
        _generation = ReadIfThere(Path.Combine(folder, "generation_config.json"));
    }

    /// <summary>The name of the tokenizer's class in the library that wrote the file.</summary>
    public string? Class => _config?.Find("tokenizer_class")?.Text();

    public bool? AddsBegin => _config?.Find("add_bos_token")?.Flag();

    public bool? AddsEnd => _config?.Find("add_eos_token")?.Flag();

    public bool? LowerCase => _config?.Find("do_lower_case")?.Flag();

    /// <summary>The id of the token that a key such as <c>eos_token</c> names, as text or as an object; null if it names none of the vocabulary.</summary>
    public int? Token(Vocabulary vocabulary, string key)
    {
        if (_config?.Find(key) is not { } token) return null;
        return vocabulary.FindId(token.IsText ? token.Text() : token.Get("content").Text());
    }

    /// <summary>All tokens at which generation stops.</summary>
    public HashSet<int> EndIds(Vocabulary vocabulary, int? end)
    {
        var ids = EndTokens.Find(vocabulary);
        if (end is { } endId) ids.Add(endId);
        if (_generation?.Find("eos_token_id") is { } named)
        {
            foreach (var item in named.IsList ? named.Items() : [named])
            {
                var id = item.Integer();
                if ((uint)id >= (uint)vocabulary.Count) throw item.Mismatch($"a token id from 0 to {vocabulary.Count - 1}");
                ids.Add(id);
            }
        }
        return ids;
    }

    private static JsonPart? ReadIfThere(string path) => File.Exists(path) ? JsonPart.Read(path) : null;
}
