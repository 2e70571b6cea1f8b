using System.Globalization;
using FastLayers.Loading;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>The vocabularies under <c>data/tokenizers</c> and of the sample, read once.</summary>
internal static class TestVocabularies
{
    private static readonly Lazy<ModelMetadata> Gpt2Lazy = new(() => ReadMetadata(PathOf("ggml-vocab-gpt-2.gguf")));
    private static readonly Lazy<ModelMetadata> BertLazy = new(() => ReadMetadata(PathOf("ggml-vocab-bert-bge.gguf")));
    private static readonly Lazy<ModelMetadata> StoriesLazy = new(() => ReadMetadata(TestPaths.Sample("stories260K.gguf")));
    private static readonly Lazy<Tokenizer> Gpt2TokenizerLazy = new(() => Tokenizer.FromMetadata(Gpt2));
    private static readonly Lazy<Tokenizer> StoriesTokenizerLazy = new(() => Tokenizer.FromMetadata(Stories));
    private static readonly Lazy<Tokenizer> BertTokenizerLazy = new(() => Tokenizer.FromMetadata(Bert));
    private static readonly Lazy<Tokenizer> UniversalTokenizerLazy = new(() => Tokenizer.FromFile(PathOf("use-lite-vocab.json")));

    public static ModelMetadata Gpt2 => Gpt2Lazy.Value;
    public static ModelMetadata Bert => BertLazy.Value;
    public static ModelMetadata Stories => StoriesLazy.Value;
    public static Tokenizer Gpt2Tokenizer => Gpt2TokenizerLazy.Value;
    public static Tokenizer StoriesTokenizer => StoriesTokenizerLazy.Value;
    public static Tokenizer BertTokenizer => BertTokenizerLazy.Value;
    public static Tokenizer UniversalTokenizer => UniversalTokenizerLazy.Value;

    public static string PathOf(string name) => TestPaths.Data("tokenizers", name);

    /// <summary>Texts and the ids that the reference gives them.</summary>
    public static IEnumerable<(string Text, int[] Ids)> Vectors(string vocabulary)
    {
        var texts = File.ReadAllText(PathOf(vocabulary + ".inp")).Split("\n__ggml_vocab_test__\n");
        var lines = File.ReadAllLines(PathOf(vocabulary + ".out"));
        for (var i = 0; i < lines.Length; i++)
        {
            var ids = lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            yield return (texts[i], Array.ConvertAll(ids, id => int.Parse(id, CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>The metadata with some values set, or taken away where the value is null.</summary>
    public static ModelMetadata With(this ModelMetadata metadata, params (string Key, object? Value)[] changes)
    {
        var values = new Dictionary<string, object>(metadata.Values);
        foreach (var (key, value) in changes)
        {
            values.Remove("tokenizer.ggml." + key);
            if (value is not null) values["tokenizer.ggml." + key] = value;
        }
        return new ModelMetadata("changed.gguf", values);
    }

    /// <summary>Every vector of a vocabulary has the ids that the reference gives.</summary>
    internal static void AssertVectors(Tokenizer tokenizer, string vocabulary)
    {
        var count = 0;
        foreach (var (text, ids) in Vectors(vocabulary))
        {
            Assert.Equal(ids, tokenizer.Encode(text, addSpecial: false));
            count++;
        }
        Assert.Equal(46, count);
    }

    private static ModelMetadata ReadMetadata(string path)
    {
        using var file = ModelFile.Open(path);
        return file.Metadata;
    }
}
