using System.Globalization;
using System.Text.RegularExpressions;

namespace FastLayers.Tokenization;

/// <summary>
/// Cuts text into words before byte-pair encoding, by the published regular expressions of GPT-2, Llama 3 and Qwen 2. Characters beyond the
/// basic plane are matched by their category through a stand-in, since .NET's expressions see them as two units.
/// </summary>
internal sealed partial class PreTokenizer
{
    private const char LetterStandIn = '\u4E00';
    private const char NumberStandIn = '\u00B2';
    private const char OtherStandIn = '\u00A7';
    private readonly Regex _regex;

    private readonly bool _cutsDigits;

    private PreTokenizer(Regex regex, bool takesWholeWords = false, bool cutsDigits = false)
    {
        _regex = regex;
        _cutsDigits = cutsDigits;
        TakesWholeWords = takesWholeWords;
    }

    /// <summary>GPT-2.</summary>
    public static PreTokenizer Gpt2 { get; } = new(Gpt2Regex());

    /// <summary>Llama 3: digits in threes.</summary>
    public static PreTokenizer Llama3 { get; } = new(Llama3Regex(), takesWholeWords: true);

    /// <summary>DBRX, which OLMo 2 uses: the words of Llama 3, always merged.</summary>
    public static PreTokenizer Dbrx { get; } = new(Llama3Regex());

    /// <summary>SmolLM: digits are cut off first, then the words of GPT-2.</summary>
    public static PreTokenizer SmolLm { get; } = new(Gpt2Regex(), cutsDigits: true);

    /// <summary>Qwen 2 and 3: digits one by one.</summary>
    public static PreTokenizer Qwen2 { get; } = new(Qwen2Regex());

    /// <summary>Whether a word that is a token is taken as it is, without merges.</summary>
    public bool TakesWholeWords { get; }

    /// <summary>The pre-tokenizer of a name in GGUF files.</summary>
    /// <exception cref="NotSupportedException">The name is not known.</exception>
    public static PreTokenizer Get(string name, string source) => name switch
    {
        "gpt-2" or "gpt2" or "default" => Gpt2,
        "llama-bpe" or "llama3" or "llama-v3" => Llama3,
        "qwen2" => Qwen2,
        "dbrx" => Dbrx,
        "smollm" => SmolLm,
        _ => throw new NotSupportedException($"{source}: pre-tokenizer '{name}' is not supported; supported are gpt-2, llama-bpe, qwen2, dbrx and smollm."),
    };

    /// <summary>The stretches of text that are encoded each for itself.</summary>
    public List<Range> Split(string text)
    {
        var (shadow, offsets) = Shadow(text);
        var ranges = new List<Range>();
        int start = 0;
        for (int i = 0; _cutsDigits && i < shadow.Length; i++)
        {
            if (!char.IsNumber(shadow[i])) continue;
            Words(shadow, start, i, offsets, ranges);
            ranges.Add(Range(i, i + 1, offsets));
            start = i + 1;
        }

        Words(shadow, start, shadow.Length, offsets, ranges);
        return ranges;
    }

    private void Words(string shadow, int start, int end, int[]? offsets, List<Range> ranges)
    {
        foreach (var match in _regex.EnumerateMatches(shadow.AsSpan(start, end - start)))
            ranges.Add(Range(start + match.Index, start + match.Index + match.Length, offsets));
    }

    private static Range Range(int start, int end, int[]? offsets) => offsets is null ? start..end : offsets[start]..offsets[end];

    /// <summary>The text with one unit a character, and where each unit stands in the text; the text itself if it has no surrogates.</summary>
    private static (string Shadow, int[]? Offsets) Shadow(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) return (text, null);
        var shadow = new char[text.Length];
        var offsets = new int[text.Length + 1];
        int count = 0;
        for (int i = 0; i < text.Length; count++)
        {
            offsets[count] = i;
            if (!char.IsHighSurrogate(text[i]))
            {
                shadow[count] = text[i++];
                continue;
            }

            shadow[count] = CharUnicodeInfo.GetUnicodeCategory(text, i) switch
            {
                UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => LetterStandIn,
                UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => NumberStandIn,
                _ => OtherStandIn,
            };
            i += 2;
        }

        offsets[count] = text.Length;
        return (new string(shadow, 0, count), offsets);
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Llama3Regex();

    [GeneratedRegex(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2Regex();
}
