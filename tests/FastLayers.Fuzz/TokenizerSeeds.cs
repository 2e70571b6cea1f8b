using FastLayers.Loading;

namespace FastLayers.Fuzz;

/// <summary>GGUF files without tensors that hold a small vocabulary of each kind, and tokenizers in JSON.</summary>
public static class TokenizerSeeds
{
    /// <summary>Token types of GGUF vocabularies.</summary>
    private const int Normal = 1, Unknown = 2, Control = 3, Byte = 6;

    public static FuzzSeed[] Make() => [Seed("pieces", Pieces()), Seed("merges", Merges()), Seed("words", Words()), Seed("unigram", Unigram()), .. TokenizerJsonSeeds.Make()];

    private static FuzzSeed Seed(string name, Dictionary<string, object> metadata)
    {
        var writer = new GgufWriter();
        foreach (var (key, value) in metadata) writer.SetMetadata(key, value);
        return new FuzzSeed(name, "model.gguf", [new FuzzFile("model.gguf", GgufSeeds.Bytes(writer), FileKind.Metadata, metadata)]);
    }

    /// <summary>SentencePiece: pieces with scores, and a token for each byte.</summary>
    private static Dictionary<string, object> Pieces()
    {
        string[] pieces = ["▁", "a", "b", "c", "▁a", "ab", "▁ab", "abc", "é", "😀"];
        string[] tokens = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), .. pieces];
        var values = Vocabulary("llama", tokens, index => index == 0 ? Unknown : index < 3 ? Control : index < 259 ? Byte : Normal);
        values["tokenizer.ggml.scores"] = Array.ConvertAll(Enumerable.Range(0, tokens.Length).ToArray(), index => index < 259 ? 0f : -index);
        values["tokenizer.ggml.bos_token_id"] = 1u;
        values["tokenizer.ggml.eos_token_id"] = 2u;
        values["tokenizer.ggml.unknown_token_id"] = 0u;
        values["tokenizer.ggml.add_bos_token"] = true;
        values["tokenizer.ggml.add_space_prefix"] = true;
        return values;
    }

    /// <summary>Byte-level byte-pair encoding: a printable character for each byte, and merges.</summary>
    private static Dictionary<string, object> Merges()
    {
        string[] merges = ["a b", "ab c", "Ġ a", "Ġa b", "Ã ©"];
        string[] tokens = [.. ByteCharacters(), .. merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)), "<|endoftext|>"];
        var values = Vocabulary("gpt2", tokens, index => index == tokens.Length - 1 ? Control : Normal);
        values["tokenizer.ggml.pre"] = "gpt-2";
        values["tokenizer.ggml.merges"] = merges;
        values["tokenizer.ggml.bos_token_id"] = (uint)tokens.Length - 1;
        values["tokenizer.ggml.eos_token_id"] = (uint)tokens.Length - 1;
        return values;
    }

    /// <summary>WordPiece: words that start with a mark, and continuations that do not.</summary>
    private static Dictionary<string, object> Words()
    {
        string[] tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁a", "▁ab", "▁abc", "b", "c", "▁.", "▁,", "é"];
        var values = Vocabulary("bert", tokens, index => index == 1 ? Unknown : index < 5 ? Control : Normal);
        values["tokenizer.ggml.padding_token_id"] = 0u;
        values["tokenizer.ggml.unknown_token_id"] = 1u;
        values["tokenizer.ggml.cls_token_id"] = 2u;
        values["tokenizer.ggml.bos_token_id"] = 2u;
        values["tokenizer.ggml.eos_token_id"] = 3u;
        values["tokenizer.ggml.seperator_token_id"] = 3u; // so spelled in the format
        values["tokenizer.ggml.mask_token_id"] = 4u;
        return values;
    }

    /// <summary>Unigram: pieces with log probabilities.</summary>
    private static Dictionary<string, object> Unigram()
    {
        string[] tokens = ["<pad>", "</s>", "<unk>", "▁", "▁a", "▁ab", "a", "b", "c", "bc", "é"];
        var values = Vocabulary("t5", tokens, index => index == 2 ? Unknown : index < 2 ? Control : Normal);
        values["tokenizer.ggml.scores"] = Array.ConvertAll(Enumerable.Range(0, tokens.Length).ToArray(), index => index < 3 ? 0f : -1f - index);
        values["tokenizer.ggml.precompiled_charsmap"] = TokenizerJsonSeeds.NormalizationTable();
        values["tokenizer.ggml.remove_extra_whitespaces"] = true;
        values["tokenizer.ggml.padding_token_id"] = 0u;
        values["tokenizer.ggml.eos_token_id"] = 1u;
        values["tokenizer.ggml.unknown_token_id"] = 2u;
        values["tokenizer.ggml.add_eos_token"] = true;
        return values;
    }

    private static Dictionary<string, object> Vocabulary(string model, string[] tokens, Func<int, int> type)
    {
        var values = new Dictionary<string, object>();
        values["tokenizer.ggml.model"] = model;
        values["tokenizer.ggml.tokens"] = tokens;
        values["tokenizer.ggml.token_type"] = Array.ConvertAll(Enumerable.Range(0, tokens.Length).ToArray(), index => type(index));
        return values;
    }

    /// <summary>GPT-2's characters: printable bytes as they are, the others from U+0100 on.</summary>
    private static IEnumerable<string> ByteCharacters()
    {
        var moved = 0x100;
        for (var value = 0; value < 256; value++)
        {
            var isPrintable = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            yield return ((char)(isPrintable ? value : moved++)).ToString();
        }
    }
}
