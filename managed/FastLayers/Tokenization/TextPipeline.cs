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

    /// <summary>The file has a normalizer that does something.</summary>
    public bool Normalizes { get; private set; }

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

    /// <summary>The pre-tokenizer writes spaces as marks.</summary>
    public bool WritesSpaceMarks { get; private set; }

    /// <summary>White space was made one space, which only a cut before space marks makes good.</summary>
    public bool NeedsSpaceMarks { get; private set; }

    private bool HasMarks { get; set; }

    private void ReadNormalizer(JsonPart part)
    {
        var step = part.Step(out var type);
        if (type == "Sequence")
        {
            step.Allow("type", "normalizers");
            foreach (var inner in step.Get("normalizers").Items()) ReadNormalizer(inner);
            return;
        }
        if (BertNormalizer) throw part.Unsupported("no normalizer after BertNormalizer");
        Normalizes = true;
        switch (type)
        {
            case "BertNormalizer":
                step.Allow("type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
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
                step.Allow("type");
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormC));
                break;
            case "NFD":
                step.Allow("type");
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormD));
                break;
            case "NFKC":
                step.Allow("type");
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormKC));
                break;
            case "NFKD":
                step.Allow("type");
                Rewrites.Add(TextRewrites.Normalize(NormalizationForm.FormKD));
                break;
            case "Lowercase":
                step.Allow("type");
                Rewrites.Add(TextRewrites.LowerCase);
                break;
            case "StripAccents":
                step.Allow("type");
                Rewrites.Add(TextRewrites.WithoutMarks);
                break;
            case "Strip":
                step.Allow("type", "strip_left", "strip_right");
                Rewrites.Add(TextRewrites.Trim(step.Get("strip_left").Flag(), step.Get("strip_right").Flag()));
                break;
            case "Prepend":
                step.Allow("type", "prepend");
                var prefix = step.Get("prepend").Text();
                Rewrites.Add(TextRewrites.Prefix(prefix));
                AddsSpace |= prefix is "▁" or " ";
                break;
            case "Replace":
                ReadReplace(step);
                break;
            case "Precompiled":
                step.Allow("type", "precompiled_charsmap");
                ReadCharsMap(step.Get("precompiled_charsmap"));
                break;
            default:
                throw part.Get("type").Unsupported("Sequence, BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace and Precompiled");
        }
    }

    private void ReadReplace(JsonPart step)
    {
        const string spaceRuns = " {2,}";
        step.Allow("type", "pattern", "content");
        var pattern = step.Get("pattern");
        pattern.Allow("String", "Regex");
        var content = step.Get("content").Text();
        if (pattern.Find("String") is { } literal && literal.Text() is { Length: > 0 } text)
        {
            Rewrites.Add(TextRewrites.Replace(text, content));
            HasMarks |= text == " " && content == "▁";
        }
        else if (pattern.Find("Regex")?.Text() == spaceRuns) Rewrites.Add(TextRewrites.ReplaceSpaceRuns(content));
        else throw pattern.Unsupported($"a String, or the Regex '{spaceRuns}'");
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

    private void ReadPreTokenizer(JsonPart part)
    {
        var step = part.Step(out var type);
        if (type == "Sequence")
        {
            step.Allow("type", "pretokenizers");
            foreach (var inner in step.Get("pretokenizers").Items()) ReadPreTokenizer(inner);
            return;
        }
        if (ByteLevel || BertWords || WritesSpaceMarks) throw part.Unsupported("no step after ByteLevel, BertPreTokenizer or Metaspace");
        switch (type)
        {
            case "ByteLevel":
                ReadByteLevel(step);
                break;
            case "Digits":
                step.Allow("type", "individual_digits");
                Patterns.Add(step.Find("individual_digits")?.Flag() ?? false ? WordPattern.EachDigit : WordPattern.DigitRuns);
                break;
            case "Split":
                ReadSplit(step);
                break;
            case "Metaspace":
                ReadMetaspace(step);
                break;
            case "WhitespaceSplit":
                step.Allow("type");
                if (HasMarks) throw part.Unsupported("WhitespaceSplit where spaces are not marks yet");
                // In published files Metaspace follows, which writes the spaces between words as marks again.
                Rewrites.Add(TextRewrites.SingleWhiteSpace);
                NeedsSpaceMarks = true;
                break;
            case "BertPreTokenizer":
                step.Allow("type");
                BertWords = true;
                break;
            default:
                throw part.Get("type").Unsupported("Sequence, ByteLevel, Digits, Split, Metaspace, WhitespaceSplit and BertPreTokenizer");
        }
    }

    private void ReadByteLevel(JsonPart step)
    {
        step.Allow("type", "add_prefix_space", "trim_offsets", "use_regex");
        ByteLevel = true;
        if (step.Find("add_prefix_space")?.Flag() ?? true)
        {
            if (Patterns.Count > 0) throw step.Unsupported("no add_prefix_space after the text was cut");
            Rewrites.Add(TextRewrites.PrefixIfMissing(' ', onlyAtTextStart: false));
        }
        if (step.Find("use_regex")?.Flag() ?? true) Patterns.Add(WordPattern.Gpt2);
    }

    private void ReadSplit(JsonPart step)
    {
        step.Allow("type", "pattern", "behavior", "invert");
        var pattern = step.Get("pattern");
        pattern.Allow("String", "Regex");
        if (pattern.Find("String")?.Text() == " " && HasMarks && !(step.Find("invert")?.Flag() ?? false)) return; // no spaces are left to split at
        var behavior = step.Get("behavior");
        if (behavior.Text() is not ("Isolated" or "Removed") || behavior.Text() == "Removed" != (step.Find("invert")?.Flag() ?? false))
        {
            throw step.Unsupported("Isolated, or Removed and inverted: a cut that keeps all text");
        }
        if (pattern.Find("Regex") is not { } regex || !KnownPatterns.TryGetValue(regex.Text(), out var words))
        {
            throw pattern.Unsupported("the Regex of GPT-2, Llama 3 or Qwen 2");
        }
        Patterns.Add(words);
    }

    private void ReadMetaspace(JsonPart step)
    {
        var marks = Metaspace.Read(step);
        if (NeedsSpaceMarks && (marks.Scheme != "always" || !marks.Cuts)) throw step.Unsupported("prepend_scheme 'always' and split after WhitespaceSplit");
        Rewrites.Add(TextRewrites.SpacesToMarks);
        if (marks.AddsSpace) Rewrites.Add(TextRewrites.PrefixIfMissing(TextRewrites.SpaceMark, onlyAtTextStart: marks.Scheme == "first"));
        AddsSpace = marks.AddsSpace;
        WritesSpaceMarks = HasMarks = true;
        CutsBeforeSpaces = marks.Cuts;
    }
}
