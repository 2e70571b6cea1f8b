using System.Runtime.InteropServices;
using FastLayers.Loading;

namespace FastLayers.Tokenization;

/// <summary>Reads the <c>tokenizer.ggml.*</c> keys of a GGUF file. Defaults for missing keys are those of llama.cpp.</summary>
internal sealed class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

    private readonly ModelMetadata _metadata;
    private readonly Vocabulary _vocabulary;

    private GgufTokenizer(ModelMetadata metadata)
    {
        _metadata = metadata;
        _vocabulary = ReadVocabulary();
    }

    private bool IsTyped => _metadata.Contains(Prefix + "token_type");

    public static Tokenizer Create(ModelMetadata metadata)
    {
        var model = metadata.GetString(Prefix + "model")
            ?? throw new InvalidDataException($"{metadata.Source}: metadata '{Prefix}model' is missing; the file holds no tokenizer.");
        Func<GgufTokenizer, Tokenizer> create = model switch
        {
            "llama" => static reader => reader.ScoredBpe(),
            "gpt2" => static reader => reader.ByteLevelBpe(),
            "bert" => static reader => reader.WordPiece(),
            "t5" or "unigram" => static reader => reader.Unigram(),
            _ => throw new NotSupportedException($"{metadata.Source}: tokenizer model '{model}' ('{Prefix}model') is not supported; supported are llama, gpt2, bert, t5 and unigram."),
        };
        return create(new GgufTokenizer(metadata));
    }

    private ScoredBpeTokenizer ScoredBpe()
    {
        if (NormalizationTable() is { Length: > 0 })
            throw new NotSupportedException($"{_metadata.Source}: a normalization table ('{Prefix}precompiled_charsmap') is not supported with tokenizer model llama; supported are t5 and unigram.");
        var special = Roles("<s>", "</s>", "<unk>", separator: null, pad: "<pad>");
        if (!IsTyped) MarkUntyped(special);
        special = Surround(special, addsBegin: true, addsEnd: false);
        return new ScoredBpeTokenizer(_vocabulary, special, Scores(), Flag("add_space_prefix") ?? true);
    }

    private ByteLevelBpeTokenizer ByteLevelBpe()
    {
        var name = _metadata.GetString(Prefix + "pre") ?? WordPatterns.DefaultName;
        if (!WordPatterns.TryGet(name, out var words))
        {
            throw new NotSupportedException($"{_metadata.Source}: pre-tokenizer '{name}' ('{Prefix}pre') is not supported; supported are {WordPatterns.KnownNames}.");
        }
        var lines = _metadata.GetArray<string>(Prefix + "merges") ?? throw Missing("merges");
        var merges = new (string, string)[lines.Length];
        for (var i = 0; i < lines.Length; i++) merges[i] = PairRanks.ParseLine(_metadata.Source, lines[i], i);
        var special = Surround(Roles(null, null, null, null, null), words.AddsBegin, addsEnd: false);
        return new ByteLevelBpeTokenizer(
            _vocabulary, special, PairRanks.Create(_vocabulary, merges), words.Patterns, words.WholeWordsFirst, rewrites: []);
    }

    private WordPieceTokenizer WordPiece()
    {
        var special = Roles("[CLS]", null, "[UNK]", "[SEP]", "[PAD]");
        special = special with { End = special.End ?? special.Separator };
        if (special.End is { } end) special = special with { EndIds = [.. special.EndIds, end] };
        if (special.Unknown is { } unknown) _vocabulary.MarkControl(unknown);
        if (special.Separator is { } separator) _vocabulary.MarkControl(separator);
        special = Surround(special, addsBegin: true, addsEnd: false);
        if (special.Suffix.Length == 0 && special.Separator is { } last && (Flag("add_sep_token") ?? true)) special = special with { Suffix = [last] };
        var lowerCase = Flag("normalizer.lowercase") ?? true;
        var options = new WordPieceOptions { LowerCase = lowerCase, StripAccents = Flag("normalizer.strip_accents") ?? lowerCase };
        return new WordPieceTokenizer(_vocabulary, special, startMark: "▁", continuationMark: "", options, rewrites: []);
    }

    private UnigramTokenizer Unigram()
    {
        var special = Roles(null, "</s>", "<unk>", null, "<pad>");
        if (special.Unknown is { } unknown) _vocabulary.MarkControl(unknown);
        special = Surround(special, addsBegin: false, addsEnd: true);
        var rewrites = new List<TextRewrite>();
        if (NormalizationTable() is { Length: > 0 } bytes)
        {
            var map = new CharsMap(_metadata.Source, bytes);
            rewrites.Add((text, _) => map.Normalize(text));
        }
        if (Flag("remove_extra_whitespaces") ?? false) rewrites.Add(TextRewrites.SingleSpaces);
        var addsSpacePrefix = Flag("add_space_prefix") ?? true;
        if (addsSpacePrefix) rewrites.Add(TextRewrites.Prefix(" "));
        rewrites.Add(TextRewrites.SpacesToMarks);
        return new UnigramTokenizer(_vocabulary, special, Scores(), [.. rewrites], cutsBeforeSpaces: false, addsSpacePrefix);
    }

    /// <summary>Written as signed or unsigned bytes.</summary>
    private byte[]? NormalizationTable()
    {
        const string key = Prefix + "precompiled_charsmap";
        return _metadata.Values.GetValueOrDefault(key) is sbyte[] signed ? MemoryMarshal.AsBytes(signed.AsSpan()).ToArray() : _metadata.GetArray<byte>(key);
    }

    private Vocabulary ReadVocabulary()
    {
        var texts = _metadata.GetArray<string>(Prefix + "tokens") ?? throw Missing("tokens");
        if (texts.Length == 0) throw new InvalidDataException($"{_metadata.Source}: metadata '{Prefix}tokens' is empty.");
        var kinds = new TokenKind[texts.Length];
        Array.Fill(kinds, TokenKind.Normal);
        if (_metadata.GetArray<int>(Prefix + "token_type") is { } types)
        {
            if (types.Length != texts.Length) throw LengthMismatch("token_type", types.Length, texts.Length);
            for (var id = 0; id < types.Length; id++)
            {
                kinds[id] = types[id] switch
                {
                    0 => TokenKind.Normal,
                    >= 1 and <= 6 => (TokenKind)types[id],
                    _ => throw new InvalidDataException(
                        $"{_metadata.Source}: metadata '{Prefix}token_type' gives token {id} the type {types[id]}; types run from 0 to 6."),
                };
            }
        }
        return new Vocabulary(_metadata.Source, texts, kinds);
    }

    /// <summary>Old files have no token types; bytes and control tokens are then known by their text.</summary>
    private void MarkUntyped(SpecialTokens special)
    {
        for (var id = 0; id < _vocabulary.Count; id++)
        {
            if (PieceBytes.TryParse(_vocabulary.Text(id), out _)) _vocabulary.SetKind(id, TokenKind.Byte);
        }
        if (special.Unknown is { } unknown) _vocabulary.SetKind(unknown, TokenKind.Unknown);
    }

    private float[] Scores()
    {
        var scores = _metadata.GetArray<float>(Prefix + "scores") ?? throw Missing("scores");
        if (scores.Length != _vocabulary.Count) throw LengthMismatch("scores", scores.Length, _vocabulary.Count);
        for (var id = 0; id < scores.Length; id++)
        {
            if (!float.IsFinite(scores[id]))
            {
                throw new InvalidDataException($"{_metadata.Source}: metadata '{Prefix}scores' should be finite, found {scores[id]} for token {id}.");
            }
        }
        return scores;
    }

    /// <summary>The roles of tokens: by id where the file names one, else by the text that this kind of vocabulary uses.</summary>
    private SpecialTokens Roles(string? begin, string? end, string? unknown, string? separator, string? pad)
    {
        var special = new SpecialTokens
        {
            Begin = Id("bos_token_id") ?? Id("cls_token_id") ?? Find(begin),
            End = Id("eos_token_id") ?? Find(end),
            Unknown = Id("unknown_token_id") ?? Find(unknown),
            Separator = Id("seperator_token_id") ?? Id("separator_token_id") ?? Find(separator), // GGUF spells it with an e
            Pad = Id("padding_token_id") ?? Find(pad),
        };
        var ends = EndTokens.Find(_vocabulary);
        foreach (var named in (int?[])[special.End, Id("eot_token_id"), Id("eom_token_id")])
        {
            if (named is { } id) ends.Add(id);
        }
        foreach (var id in ends) _vocabulary.MarkControl(id);
        if (special.Begin is { } beginId) _vocabulary.MarkControl(beginId);
        return special with { EndIds = ends };

        // Where the file gives types, only control tokens: an ordinary token may read the same.
        int? Find(string? text) =>
            text is not null && _vocabulary.FindId(text) is { } id && (!IsTyped || _vocabulary.Kind(id) is TokenKind.Control or TokenKind.Unknown) ? id : null;
    }

    private SpecialTokens Surround(SpecialTokens special, bool addsBegin, bool addsEnd)
    {
        return special with
        {
            Prefix = Resolve("add_bos_token", addsBegin, special.Begin),
            Suffix = Resolve("add_eos_token", addsEnd, special.End),
        };

        int[] Resolve(string key, bool byDefault, int? id)
        {
            var asked = Flag(key);
            if (asked == true && id is null)
            {
                throw new InvalidDataException($"{_metadata.Source}: metadata '{Prefix}{key}' is true, but the file names no such token.");
            }
            return (asked ?? byDefault) && id is { } value ? [value] : [];
        }
    }

    private int? Id(string key)
    {
        const uint none = uint.MaxValue; // so written where there is no such token
        if (_metadata.GetInteger(Prefix + key) is not { } id || id == none) return null;
        if (id < 0 || id >= _vocabulary.Count)
        {
            throw new InvalidDataException($"{_metadata.Source}: metadata '{Prefix}{key}' is {id}; token ids run from 0 to {_vocabulary.Count - 1}.");
        }
        return (int)id;
    }

    private bool? Flag(string key) => _metadata.GetFlag(Prefix + key);

    private InvalidDataException Missing(string key) => new($"{_metadata.Source}: metadata '{Prefix}{key}' is missing.");

    private InvalidDataException LengthMismatch(string key, int found, int expected) =>
        new($"{_metadata.Source}: metadata '{Prefix}{key}' should have one entry for each of the {expected} tokens, found {found}.");
}
