using System.Text;

namespace FastLayers.Tokenization;

/// <summary>The <c>normalizer</c> and <c>pre_tokenizer</c> of a <c>tokenizer.json</c>, in the terms of the tokenizers here.</summary>
internal sealed class TextPipeline
{
    /// <summary>The regular expressions of published files, and the scanners that mean the same.</summary>
    private static readonly Dictionary<string, WordPattern> KnownPatterns = new(StringComparer.Ordinal)
    {
        [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = WordPattern.Gpt2,
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] = WordPattern.Llama3,
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] = WordPattern.Qwen2,
    };

    public TextPipeline(JsonPart root)
    {
        if (root.Find("normalizer") is { } normalizer) ReadNormalizer(normalizer);
        if (root.Find("pre_tokenizer") is { } preTokenizer) ReadPreTokenizer(preTokenizer);
    }

    /// <summary>Changes to each stretch of text, in order.</summary>
    public List<TextRewrite> Rewrites { get; } = [];

    /// <summary>How text is cut into words.</summary>
    public List<WordPattern> Patterns { get; } = [];

    /// <summary>Words are written as bytes.</summary>
    public bool ByteLevel { get; private set; }

    /// <summary>Words are cut before each space mark.</summary>
    public bool CutsBeforeSpaces { get; private set; }

    /// <summary>A space mark is put before the text.</summary>
    public bool AddsSpace { get; private set; }

    /// <summary>What a WordPiece model does to its text.</summary>
    public WordPieceOptions WordPiece { get; private set; } =
        new() { LowerCase = false, StripAccents = false, CleanText = false, SplitChinese = false };

    /// <summary>The text goes through BERT's normalizer.</summary>
    public bool BertNormalizer { get; private set; }

    /// <summary>Words are cut as BERT does: at white space, and around punctuation.</summary>
    public bool BertWords { get; private set; }

    /// <summary>White space was made one space, which only a cut before space marks makes good.</summary>
    public bool NeedsSpaceMarks { get; private set; }

    private bool HasMarks { get; set; }

    private void ReadNormalizer(JsonPart step)
    {
        switch (step.Get("type").Text())
        {
            case "Sequence":
                foreach (var inner in step.Get("normalizers").Items()) ReadNormalizer(inner);
                break;
            case "BertNormalizer":
                BertNormalizer = true;
                var lowerCase = step.Find("lowercase")?.Flag() ?? true;
                WordPiece = new WordPieceOptions
                {
                    LowerCase = lowerCase,
                    StripAccents = step.Find("strip_accents")?.Flag() ?? lowerCase,
                    CleanText = step.Find("clean_text")?.Flag() ?? true,
                    SplitChinese = step.Find("handle_chinese_chars")?.Flag() ?? true,
                };
                break;
            case "NFC":
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormC));
                break;
            case "NFD":
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormD));
                break;
            case "NFKC":
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormKC));
                break;
            case "NFKD":
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormKD));
                break;
            case "Lowercase":
                Rewrites.Add(TextRewrites.LowerCase);
                break;
            case "StripAccents":
                Rewrites.Add(TextRewrites.WithoutMarks);
                break;
            case "Strip":
                Rewrites.Add(TextRewrites.Trim(step.Get("strip_left").Flag(), step.Get("strip_right").Flag()));
                break;
            case "Prepend":
                var prefix = step.Get("prepend").Text();
                Rewrites.Add(TextRewrites.Prefix(prefix));
                AddsSpace |= prefix is "▁" or " ";
                break;
            case "Replace":
                ReadReplace(step);
                break;
            case "Precompiled":
                ReadCharsMap(step.Get("precompiled_charsmap"));
                break;
            default:
                throw step.Mismatch("a known normalizer");
        }
    }

    private void ReadReplace(JsonPart step)
    {
        const string spaceRuns = " {2,}";
        var pattern = step.Get("pattern");
        var content = step.Get("content").Text();
        if (pattern.Find("String") is { } literal && literal.Text() is { Length: > 0 } text)
        {
            Rewrites.Add(TextRewrites.Replace(text, content));
            HasMarks |= text == " " && content == "▁";
        }
        else if (pattern.Find("Regex")?.Text() == spaceRuns) Rewrites.Add(TextRewrites.ReplaceSpaceRuns(content));
        else throw pattern.Mismatch($"a String, or the Regex '{spaceRuns}'");
    }

    private void ReadCharsMap(JsonPart part)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(part.Text());
        }
        catch (FormatException)
        {
            throw part.Mismatch("base64");
        }
        if (bytes.Length == 0) return;
        var map = new CharsMap(part.Source, bytes);
        Rewrites.Add((text, _) => map.Normalize(text));
    }

    private void ReadPreTokenizer(JsonPart step)
    {
        switch (step.Get("type").Text())
        {
            case "Sequence":
                foreach (var inner in step.Get("pretokenizers").Items()) ReadPreTokenizer(inner);
                break;
            case "ByteLevel":
                ByteLevel = true;
                if (step.Find("add_prefix_space")?.Flag() ?? true) Rewrites.Add(TextRewrites.PrefixIfMissing(' ', onlyAtTextStart: false));
                if (step.Find("use_regex")?.Flag() ?? true) Patterns.Add(WordPattern.Gpt2);
                break;
            case "Digits":
                Patterns.Add(step.Find("individual_digits")?.Flag() ?? false ? WordPattern.EachDigit : WordPattern.DigitRuns);
                break;
            case "Split":
                ReadSplit(step);
                break;
            case "Metaspace":
                ReadMetaspace(step);
                break;
            case "WhitespaceSplit":
                // In published files Metaspace follows, which writes the spaces between words as marks again.
                Rewrites.Add(TextRewrites.SingleWhiteSpace);
                NeedsSpaceMarks = true;
                break;
            case "BertPreTokenizer":
                BertWords = true;
                break;
            default:
                throw step.Mismatch("a known pre_tokenizer");
        }
    }

    private void ReadSplit(JsonPart step)
    {
        var pattern = step.Get("pattern");
        if (pattern.Find("String")?.Text() == " " && HasMarks) return; // no spaces are left to split at
        var behavior = step.Get("behavior");
        if (behavior.Text() is not ("Isolated" or "Removed") || behavior.Text() == "Removed" != (step.Find("invert")?.Flag() ?? false))
        {
            throw step.Mismatch("Isolated, or Removed and inverted: a cut that keeps all text");
        }
        if (!KnownPatterns.TryGetValue(pattern.Get("Regex").Text(), out var words)) throw pattern.Mismatch("the Regex of GPT-2, Llama 3 or Qwen 2");
        Patterns.Add(words);
    }

    private void ReadMetaspace(JsonPart step)
    {
        if (step.Find("replacement")?.Text() is not (null or "▁")) throw step.Get("replacement").Mismatch("'▁'");
        var scheme = step.Find("prepend_scheme")?.Text() ?? (step.Find("add_prefix_space")?.Flag() ?? true ? "always" : "never");
        if (scheme is not ("always" or "first" or "never")) throw step.Get("prepend_scheme").Mismatch("always, first or never");
        Rewrites.Add(TextRewrites.SpacesToMarks);
        if (scheme != "never") Rewrites.Add(TextRewrites.PrefixIfMissing(TextRewrites.SpaceMark, onlyAtTextStart: scheme == "first"));
        AddsSpace = scheme != "never";
        HasMarks = true;
        CutsBeforeSpaces = step.Find("split")?.Flag() ?? true;
    }
}
