using FastLayers.Loading;

namespace FastLayers.Tokenization;

/// <summary>Reads the tokenizer in a GGUF file's metadata.</summary>
internal static class GgufTokenizerReader
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Spellings of tokens that end a turn in files that do not say so.</summary>
    private static readonly string[] s_turnEnds = ["<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>"];

    public static Tokenizer Read(ModelMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string source = metadata.Source;
        string model = metadata.GetString(Prefix + "model") ?? throw new InvalidDataException($"{source}: metadata '{Prefix}model' is missing.");
        string[] pieces = metadata.GetArray<string>(Prefix + "tokens") ?? throw new InvalidDataException($"{source}: metadata '{Prefix}tokens' is missing.");
        var kinds = metadata.GetArray<int>(Prefix + "token_type")?.Select(k => Enum.IsDefined((TokenKind)k) ? (TokenKind)k : TokenKind.Normal).ToArray();
        float[]? scores = metadata.GetArray<float>(Prefix + "scores");
        var vocabulary = new Vocabulary(source, pieces, kinds, scores);
        bool prefix = metadata.GetFlag(Prefix + "add_space_prefix", true)!.Value;
        switch (model)
        {
            case "llama":
                Require(scores, source, "scores");
                return new SentencePieceBpeTokenizer(vocabulary, Special(metadata, vocabulary, begin: 1, end: 2, addsBegin: true), prefix);
            case "gpt2":
                string[] merges = metadata.GetArray<string>(Prefix + "merges") ?? throw new InvalidDataException($"{source}: metadata '{Prefix}merges' is missing.");
                return new ByteLevelBpeTokenizer(vocabulary, Special(metadata, vocabulary, null, null, addsBegin: false), merges, PreTokenizer.Get(metadata.GetString(Prefix + "pre", "gpt-2")!, source));
            case "bert":
                return new WordPieceTokenizer(vocabulary, Bert(metadata, vocabulary));
            case "t5" or "unigram":
                Require(scores, source, "scores");
                return new UnigramTokenizer(vocabulary, Special(metadata, vocabulary, null, 1, addsBegin: false), prefix);
            default:
                throw new NotSupportedException($"{source}: tokenizer model '{model}' is not supported; supported are llama, gpt2, bert, t5 and unigram.");
        }
    }

    private static void Require(float[]? scores, string source, string name)
    {
        if (scores is null) throw new InvalidDataException($"{source}: metadata '{Prefix}{name}' is missing.");
    }

    private static SpecialTokens Special(ModelMetadata metadata, Vocabulary vocabulary, int? begin, int? end, bool addsBegin) => new()
    {
        Begin = Id(metadata, vocabulary, "bos_token_id") ?? InRange(begin, vocabulary),
        End = Id(metadata, vocabulary, "eos_token_id") ?? InRange(end, vocabulary),
        Unknown = Id(metadata, vocabulary, "unknown_token_id") ?? FirstOf(vocabulary, TokenKind.Unknown),
        Separator = null,
        Pad = Id(metadata, vocabulary, "padding_token_id"),
        OtherEnds = [.. OtherEnds(metadata, vocabulary)],
        AddsBegin = metadata.GetFlag(Prefix + "add_bos_token", addsBegin)!.Value,
        AddsEnd = metadata.GetFlag(Prefix + "add_eos_token", false)!.Value,
    };

    private static SpecialTokens Bert(ModelMetadata metadata, Vocabulary vocabulary)
    {
        int? Named(string piece) => vocabulary.TryGetId(piece, out int id) ? id : null;
        return new SpecialTokens
        {
            // The key is spelled this way in files.
            Begin = Id(metadata, vocabulary, "cls_token_id") ?? Id(metadata, vocabulary, "bos_token_id") ?? Named("[CLS]"),
            Separator = Id(metadata, vocabulary, "seperator_token_id") ?? Id(metadata, vocabulary, "separator_token_id") ?? Named("[SEP]"),
            Unknown = Id(metadata, vocabulary, "unknown_token_id") ?? Named("[UNK]"),
            Pad = Id(metadata, vocabulary, "padding_token_id") ?? Named("[PAD]"),
            AddsBegin = metadata.GetFlag(Prefix + "add_bos_token", true)!.Value,
            AddsEnd = metadata.GetFlag(Prefix + "add_eos_token", true)!.Value,
        };
    }

    private static IEnumerable<int> OtherEnds(ModelMetadata metadata, Vocabulary vocabulary)
    {
        if (Id(metadata, vocabulary, "eot_token_id") is { } turn) yield return turn;
        if (Id(metadata, vocabulary, "eom_token_id") is { } message) yield return message;
        foreach (string text in s_turnEnds)
        {
            if (vocabulary.TryGetId(text, out int id) && vocabulary.Kinds[id] == TokenKind.Control) yield return id;
        }
    }

    private static int? Id(ModelMetadata metadata, Vocabulary vocabulary, string name)
    {
        if (metadata.GetInteger(Prefix + name) is not { } id) return null;
        return id >= 0 && id < vocabulary.Count ? (int)id
            // 2^32 - 1 says that there is no such token.
            : id == uint.MaxValue || id == -1 ? null
            : throw new InvalidDataException($"{metadata.Source}: metadata '{Prefix}{name}' should be 0 to {vocabulary.Count - 1}, found {id}.");
    }

    private static int? InRange(int? id, Vocabulary vocabulary) => id < vocabulary.Count ? id : null;

    private static int? FirstOf(Vocabulary vocabulary, TokenKind kind) => Array.IndexOf(vocabulary.Kinds, kind) is >= 0 and var id ? id : null;
}
