namespace FastLayers.Tokenization;

/// <summary>
/// Reads a Hugging Face <c>tokenizer.json</c>. Steps and options that are not understood are errors, never skipped: a tokenizer that is a
/// little wrong is worse than none. Added tokens are looked for before normalization.
/// </summary>
internal sealed class TokenizerJson
{
    private readonly string _path;
    private readonly JsonPart _root;
    private readonly JsonPart _model;
    private readonly TokenizerConfig _config;
    private readonly TextPipeline _pipeline;
    private readonly TextDecoder _decoder;

    public TokenizerJson(string path, JsonPart root)
    {
        _path = path;
        _root = root;
        root.Allow("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        if (root.Find("version") is { } version && version.Text() != "1.0") throw version.Unsupported("1.0");
        _model = root.Get("model");
        _config = new TokenizerConfig(path);
        _pipeline = new TextPipeline(root);
        _decoder = new TextDecoder(root);
    }

    public Tokenizer Create()
    {
        var kind = _model.Find("type")?.Text() ?? (_model.Find("merges") is not null ? "BPE" : _model.Get("vocab").IsList ? "Unigram" : "WordPiece");
        return kind switch
        {
            "BPE" => Bpe(),
            "Unigram" => Unigram(),
            "WordPiece" => WordPiece(),
            _ => throw _model.Get("type").Unsupported("BPE, Unigram and WordPiece"),
        };
    }

    private Tokenizer Bpe()
    {
        _model.Allow("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (_model.Find("dropout") is { } dropout && dropout.Number() != 0) throw dropout.Unsupported("0: the same ids each time");
        foreach (var key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (_model.Find(key) is { } affix && affix.Text().Length > 0) throw affix.Unsupported("none");
        }
        return _pipeline.ByteLevel ? ByteLevelBpe() : CharacterBpe();
    }

    private ByteLevelBpeTokenizer ByteLevelBpe()
    {
        _decoder.RequireByteLevel();
        RequireSteps(bertWords: false, patterns: true, spaceMarks: false);
        var vocabulary = ReadVocabulary(_model.Get("vocab"), byteFallback: false);
        if (!ByteAlphabet.IsCovered(vocabulary))
        {
            RequireFlagOff("fuse_unk");
            RequireFlagOff("byte_fallback");
        }
        var special = Roles(vocabulary, Unknown(vocabulary));
        return new ByteLevelBpeTokenizer(
            vocabulary, special, ReadMerges(vocabulary), [.. _pipeline.Patterns], Flag("ignore_merges"), [.. _pipeline.Rewrites]);
    }

    private CharacterBpeTokenizer CharacterBpe()
    {
        RequireSteps(bertWords: false, patterns: false, spaceMarks: true);
        RequireFlagOff("ignore_merges");
        var dropsSpace = _decoder.RequireSpaceMarks(Flag("byte_fallback"), _pipeline.AddsSpace);
        var vocabulary = ReadVocabulary(_model.Get("vocab"), Flag("byte_fallback"));
        var special = Roles(vocabulary, Unknown(vocabulary));
        return new CharacterBpeTokenizer(
            vocabulary, special, ReadMerges(vocabulary), [.. _pipeline.Rewrites], _pipeline.CutsBeforeSpaces, dropsSpace, Flag("fuse_unk"));
    }

    private UnigramTokenizer Unigram()
    {
        RequireSteps(bertWords: false, patterns: false, spaceMarks: true);
        _model.Allow("type", "unk_id", "vocab", "byte_fallback");
        var pieces = _model.Get("vocab");
        var scores = new List<float>();
        var builder = new VocabularyBuilder(_path);
        var byteFallback = Flag("byte_fallback");
        var dropsSpace = _decoder.RequireSpaceMarks(byteFallback, _pipeline.AddsSpace);
        foreach (var (id, entry) in pieces.Items().Index())
        {
            if (entry.Count() != 2) throw entry.Mismatch("a piece and its score");
            var text = entry[0].Text();
            builder.Add(id, text, KindOf(text, byteFallback));
            scores.Add(entry[1].Number());
        }
        AddAddedTokens(builder);
        var vocabulary = builder.Build();
        while (scores.Count < vocabulary.Count) scores.Add(0);
        int? unknown = null;
        if (_model.Find("unk_id") is { } named)
        {
            unknown = named.Integer();
            if ((uint)unknown >= (uint)vocabulary.Count) throw named.Mismatch($"a token id from 0 to {vocabulary.Count - 1}");
        }
        var special = Roles(vocabulary, unknown);
        return new UnigramTokenizer(vocabulary, special, [.. scores], [.. _pipeline.Rewrites], _pipeline.CutsBeforeSpaces, dropsSpace);
    }

    private WordPieceTokenizer WordPiece()
    {
        RequireSteps(bertWords: true, patterns: false, spaceMarks: false);
        _model.Allow("type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab");
        var mark = _model.Find("continuing_subword_prefix")?.Text() ?? "##";
        if (mark.Length == 0) throw _model.Get("continuing_subword_prefix").Unsupported("a prefix that is not empty");
        _decoder.RequireWordPieces(mark);
        var vocabulary = ReadVocabulary(_model.Get("vocab"), byteFallback: false);
        var special = Roles(vocabulary, Unknown(vocabulary));
        const int defaultMaxWord = 100;
        var longest = _model.Find("max_input_chars_per_word");
        var options = _pipeline.WordPiece with { MaxWordLength = longest?.Integer() ?? defaultMaxWord, CleansUp = _decoder.CleansUp };
        if (options.MaxWordLength < 0) throw longest!.Value.Mismatch("at least 0");
        return new WordPieceTokenizer(vocabulary, special, startMark: "", continuationMark: mark, options, [.. _pipeline.Rewrites]);
    }

    private bool Flag(string key) => _model.Find(key)?.Flag() ?? false;

    private void RequireFlagOff(string key)
    {
        if (Flag(key)) throw _model.Get(key).Unsupported("false for this kind of model");
    }

    private int? Unknown(Vocabulary vocabulary) => _model.Find("unk_token")?.Text() is { } text ? vocabulary.FindId(text) : null;

    /// <summary>Refuses pre-tokenizers that the model's own algorithm would not follow.</summary>
    private void RequireSteps(bool bertWords, bool patterns, bool spaceMarks)
    {
        if (_pipeline.BertWords == bertWords && (patterns || _pipeline.Patterns.Count == 0 && !_pipeline.ByteLevel) && (spaceMarks || !_pipeline.WritesSpaceMarks)
            && (!_pipeline.NeedsSpaceMarks || _pipeline.CutsBeforeSpaces) && (bertWords || !_pipeline.BertNormalizer)) return;
        throw (_root.Find("pre_tokenizer") ?? _root.Find("normalizer") ?? _model).Unsupported("a pre_tokenizer and normalizer that belong to this kind of model");
    }

    private static TokenKind KindOf(string text, bool byteFallback) =>
        byteFallback && PieceBytes.TryParse(text, out _) ? TokenKind.Byte : TokenKind.Normal;

    private Vocabulary ReadVocabulary(JsonPart tokens, bool byteFallback)
    {
        var builder = new VocabularyBuilder(_path);
        foreach (var (text, id) in tokens.Members()) builder.Add(id.Integer(), text, KindOf(text, byteFallback));
        AddAddedTokens(builder);
        return builder.Build();
    }

    private void AddAddedTokens(VocabularyBuilder builder)
    {
        if (_root.Find("added_tokens") is not { } added) return;
        foreach (var token in added.Items())
        {
            token.Allow("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            var rules = AddedTokenRules.None;
            if (token.Find("lstrip")?.Flag() ?? false) rules |= AddedTokenRules.TakesSpaceBefore;
            if (token.Find("rstrip")?.Flag() ?? false) rules |= AddedTokenRules.TakesSpaceAfter;
            if (token.Find("single_word")?.Flag() ?? false) rules |= AddedTokenRules.WholeWord;
            var kind = token.Find("special")?.Flag() ?? false ? TokenKind.Control : TokenKind.UserDefined;
            // Text becomes a special token only on request, by its own spelling; the others would have to be looked for after normalization.
            if (kind == TokenKind.UserDefined && _pipeline.Normalizes && token.Find("normalized") is { } normalized && normalized.Flag())
            {
                throw token.Unsupported("'normalized' false, where there is a normalizer");
            }
            builder.AddAdded(token.Get("id").Integer(), token.Get("content").Text(), kind, rules);
        }
    }

    private PairRanks ReadMerges(Vocabulary vocabulary)
    {
        var merges = new List<(string, string)>();
        foreach (var merge in _model.Get("merges").Items())
        {
            if (merge.IsText) merges.Add(PairRanks.ParseLine(_path, merge.Text(), merges.Count));
            else if (merge.Count() == 2) merges.Add((merge[0].Text(), merge[1].Text()));
            else throw merge.Mismatch("a pair of pieces");
        }
        return PairRanks.Create(vocabulary, merges);
    }

    private SpecialTokens Roles(Vocabulary vocabulary, int? unknown)
    {
        var (prefix, suffix) = new PostProcessor(_root, vocabulary).Surroundings();
        var separator = _config.Token(vocabulary, "sep_token") ?? Find("[SEP]");
        var begin = _config.Token(vocabulary, "bos_token") ?? _config.Token(vocabulary, "cls_token")
            ?? (prefix.Length > 0 ? prefix[0] : Find("<s>", "[CLS]", "<|begin_of_text|>"));
        var end = _config.Token(vocabulary, "eos_token") ?? (suffix.Length > 0 ? suffix[^1] : Find("</s>", "<|endoftext|>") ?? separator);
        if (prefix.Length == 0 && _config.AddsBegin == true && begin is { } first) prefix = [first];
        if (suffix.Length == 0 && _config.AddsEnd == true && end is { } last) suffix = [last];
        var special = new SpecialTokens
        {
            Begin = begin,
            End = end,
            Unknown = unknown,
            Separator = separator,
            Pad = _config.Token(vocabulary, "pad_token") ?? Find("<pad>", "[PAD]"),
            EndIds = _config.EndIds(vocabulary, end),
            Prefix = prefix,
            Suffix = suffix,
        };
        special.MarkControl(vocabulary);
        return special;

        // Only among control tokens: Qwen's vocabulary, for one, has an ordinary token '<s>'.
        int? Find(params ReadOnlySpan<string> texts)
        {
            foreach (var text in texts)
            {
                if (vocabulary.FindId(text) is { } id && vocabulary.Kind(id) == TokenKind.Control) return id;
            }
            return null;
        }
    }
}
