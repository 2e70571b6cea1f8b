using System.Text.Json;

namespace FastLayers.Tokenization;

/// <summary>Reads a Hugging Face <c>tokenizer.json</c>: byte-level BPE, SentencePiece-like BPE with byte fallback, unigram, WordPiece.</summary>
internal sealed class HuggingFaceTokenizerReader(string path, JsonElement root, JsonElement model)
{
    private readonly List<(string Piece, int Id, bool IsSpecial)> _added = ReadAdded(path, root);

    public Tokenizer Read()
    {
        string? type = Text(model, "type") ?? (model.TryGetProperty("merges", out _) ? "BPE" : null);
        return type switch
        {
            "BPE" when Flag(model, "byte_fallback") => SentencePieceLike(),
            "BPE" => ByteLevelBpe(),
            "Unigram" => Unigram(),
            "WordPiece" => WordPiece(),
            _ => throw new NotSupportedException($"{path}: tokenizer model '{type}' is not supported; supported are BPE, Unigram and WordPiece."),
        };
    }

    private static List<(string, int, bool)> ReadAdded(string path, JsonElement root)
    {
        var added = new List<(string, int, bool)>();
        if (!root.TryGetProperty("added_tokens", out var list) || list.ValueKind != JsonValueKind.Array) return added;
        foreach (var token in list.EnumerateArray())
        {
            if (token.ValueKind != JsonValueKind.Object || Text(token, "content") is not { } content || !token.TryGetProperty("id", out var id) || id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out int value) || value < 0)
                throw new InvalidDataException($"{path}: an added token should have an id and a content, found {token}.");
            added.Add((content, value, Flag(token, "special")));
        }

        return added;
    }

    private ByteLevelBpeTokenizer ByteLevelBpe() => new(ObjectVocabulary(null), Special(addsBegin: false), Merges(), FindPreTokenizer());

    /// <summary>Scores that merge in the order of the merge list: less the rank of the first merge that makes the piece.</summary>
    private SentencePieceBpeTokenizer SentencePieceLike()
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        var merges = Merges();
        for (int i = 0; i < merges.Count; i++)
        {
            int space = merges[i].Length < 3 ? -1 : merges[i].IndexOf(' ', 1);
            if (space < 0) throw new InvalidDataException($"{path}: merge {i} should be two pieces, found '{merges[i]}'.");
            ranks.TryAdd(merges[i].Remove(space, 1), i);
        }

        bool prefix = root.TryGetProperty("normalizer", out var normalizer) && normalizer.GetRawText().Contains("Prepend", StringComparison.Ordinal)
            || (root.TryGetProperty("pre_tokenizer", out var pre) && pre.GetRawText().Contains("Metaspace", StringComparison.Ordinal));
        return new SentencePieceBpeTokenizer(ObjectVocabulary(ranks), Special(addsBegin: true), prefix);
    }

    private UnigramTokenizer Unigram()
    {
        var entries = Required(model, "vocab", JsonValueKind.Array);
        var pieces = new List<string>();
        var scores = new List<float>();
        foreach (var entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[0].ValueKind != JsonValueKind.String || entry[1].ValueKind != JsonValueKind.Number)
                throw new InvalidDataException($"{path}: entry {pieces.Count} should be a piece and a score, found {entry}.");
            pieces.Add(entry[0].GetString()!);
            scores.Add(entry[1].GetSingle());
        }

        int? unknown = model.TryGetProperty("unk_id", out var id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int value) ? value : null;
        var kinds = pieces.Select((_, i) => i == unknown ? TokenKind.Unknown : _added.Any(a => a.Id == i) ? TokenKind.Control : TokenKind.Normal).ToArray();
        if (unknown is { } place && (uint)place >= (uint)pieces.Count) throw new InvalidDataException($"{path}: 'unk_id' should be 0 to {pieces.Count - 1}, found {place}.");
        return new UnigramTokenizer(new Vocabulary(path, [.. pieces], kinds, [.. scores]), Special(addsBegin: false) with { Unknown = unknown }, addsSpacePrefix: true);
    }

    private WordPieceTokenizer WordPiece()
    {
        bool lowerCase = !root.TryGetProperty("normalizer", out var normalizer) || normalizer.ValueKind != JsonValueKind.Object || !normalizer.TryGetProperty("lowercase", out var flag) || flag.ValueKind != JsonValueKind.False;
        return VocabularyFileReader.WordPiece(path, VocabularyFileReader.PiecesById(path, Required(model, "vocab", JsonValueKind.Object), []), lowerCase);
    }

    private Vocabulary ObjectVocabulary(Dictionary<string, int>? ranks)
    {
        string[] pieces = VocabularyFileReader.PiecesById(path, Required(model, "vocab", JsonValueKind.Object), _added.Select(a => (a.Piece, a.Id)));
        var kinds = new TokenKind[pieces.Length];
        for (int i = 0; i < pieces.Length; i++) kinds[i] = ranks is not null && Vocabulary.TryParseByte(pieces[i], out _) ? TokenKind.Byte : TokenKind.Normal;
        foreach (var (_, id, isSpecial) in _added) kinds[id] = isSpecial ? TokenKind.Control : TokenKind.UserDefined;
        float[]? scores = ranks is null ? null : [.. pieces.Select(p => -(float)ranks.GetValueOrDefault(p, ranks.Count))];
        return new Vocabulary(path, pieces, kinds, scores);
    }

    private List<string> Merges()
    {
        var merges = new List<string>();
        foreach (var merge in Required(model, "merges", JsonValueKind.Array).EnumerateArray())
        {
            // Written as "a b" or, in newer files, as ["a", "b"].
            if (merge.ValueKind == JsonValueKind.String) merges.Add(merge.GetString()!);
            else if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2) merges.Add(merge[0].GetString() + " " + merge[1].GetString());
            else throw new InvalidDataException($"{path}: merge {merges.Count} should be two pieces, found {merge}.");
        }

        return merges;
    }

    private PreTokenizer FindPreTokenizer()
    {
        string text = root.TryGetProperty("pre_tokenizer", out var pre) ? pre.GetRawText() : "";
        if (text.Contains(@"\\p{N}{1,3}", StringComparison.Ordinal)) return PreTokenizer.Llama3;
        if (text.Contains(@"[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|", StringComparison.Ordinal)) return PreTokenizer.Qwen2;
        if (text.Contains("ByteLevel", StringComparison.Ordinal) && !text.Contains("\"Split\"", StringComparison.Ordinal)) return PreTokenizer.Gpt2;
        throw new NotSupportedException($"{path}: the pre-tokenizer is none of those of GPT-2, Llama 3 and Qwen 2.");
    }

    private SpecialTokens Special(bool addsBegin)
    {
        int? First(params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                foreach (var (piece, id, _) in _added)
                {
                    if (piece == name) return id;
                }
            }

            return null;
        }

        int? end = First("</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<|im_end|>");
        return new SpecialTokens
        {
            Begin = First("<s>", "<|begin_of_text|>", "<bos>"),
            End = end,
            Unknown = First("<unk>"),
            Pad = First("<pad>", "<|finetune_right_pad_id|>"),
            OtherEnds = [.. _added.Where(a => a.Piece is "<|eot_id|>" or "<|im_end|>" or "<|end|>" or "<end_of_turn>").Select(a => a.Id)],
            AddsBegin = addsBegin || First("<|begin_of_text|>", "<bos>") is not null,
        };
    }

    private JsonElement Required(JsonElement element, string name, JsonValueKind kind) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == kind
            ? value
            : throw new InvalidDataException($"{path}: '{name}' should be there as {kind}.");

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
