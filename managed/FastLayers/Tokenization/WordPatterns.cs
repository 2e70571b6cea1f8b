using System.Diagnostics.CodeAnalysis;

namespace FastLayers.Tokenization;

/// <summary>The word patterns by the names that <c>tokenizer.ggml.pre</c> gives them, with the habits that go with each.</summary>
/// <param name="Patterns">How text is cut into words, each pattern inside the words of the one before.</param>
/// <param name="WholeWordsFirst">A word that is a token is taken without merging.</param>
/// <param name="AddsBegin">A begin token is added where the file does not say.</param>
internal sealed record WordPatterns(WordPattern[] Patterns, bool WholeWordsFirst = false, bool AddsBegin = false)
{
    /// <summary>The pattern of files that name none.</summary>
    public const string DefaultName = "gpt-2";

    private static readonly WordPatterns Gpt2 = new([WordPattern.Gpt2]);
    private static readonly WordPatterns Llama3 = new([WordPattern.Llama3], WholeWordsFirst: true, AddsBegin: true);
    /// <summary>OLMo 2 uses it too: the words of Llama 3, always merged.</summary>
    private static readonly WordPatterns Dbrx = new([WordPattern.Llama3]);

    private static readonly WordPatterns Qwen2 = new([WordPattern.Qwen2]);
    private static readonly WordPatterns Digits = new([WordPattern.EachDigit, WordPattern.Gpt2]);

    private static readonly Dictionary<string, WordPatterns> ByName = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = Gpt2,
        ["gpt2"] = Gpt2,
        ["default"] = Gpt2,
        ["phi-2"] = Gpt2,
        ["llama-bpe"] = Llama3,
        ["llama3"] = Llama3,
        ["llama-3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["dbrx"] = Dbrx,
        ["qwen2"] = Qwen2,
        ["deepseek-r1-qwen"] = Qwen2,
        ["smollm"] = Digits,
        ["starcoder"] = Digits,
    };

    /// <summary>All names, for errors.</summary>
    public static string KnownNames => string.Join(", ", ByName.Keys);

    public static bool TryGet(string name, [NotNullWhen(true)] out WordPatterns? patterns) => ByName.TryGetValue(name, out patterns);
}
