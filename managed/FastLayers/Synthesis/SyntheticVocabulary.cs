using System.Text;

namespace FastLayers.Synthesis;

/// <summary>Vocabularies that can spell any text, filled up with distinct pieces to the wanted size.</summary>
internal static class SyntheticVocabulary
{
    /// <summary>The token types of GGUF.</summary>
    private const int Normal = 1, Unknown = 2, Control = 3, Unused = 5, Byte = 6;

    /// <summary>The mark of a word's start in SentencePiece vocabularies, and of whole words in GGUF WordPiece vocabularies.</summary>
    private const string WordMark = "\u2581";

    private static readonly string[] PieceSpecials = ["<unk>", "<s>", "</s>"];
    private static readonly string[] WordSpecials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>The fewest tokens a vocabulary has.</summary>
    public static int Smallest(VocabularyKind kind) => kind switch
    {
        VocabularyKind.SentencePiece => PieceSpecials.Length + 256 + 1, // the mark, without which spaces would not come back
        VocabularyKind.BytePairs => 256 + 1,
        _ => WordSpecials.Length,
    };

    /// <summary>Adds the metadata of a vocabulary of <paramref name="count"/> tokens.</summary>
    public static void Describe(SyntheticLayout layout, VocabularyKind kind, string preTokenizer, int count)
    {
        switch (kind)
        {
            case VocabularyKind.SentencePiece: DescribeSentencePiece(layout, preTokenizer, count); break;
            case VocabularyKind.BytePairs: DescribeBytePairs(layout, preTokenizer, count); break;
            default: DescribeWordPieces(layout, preTokenizer, count); break;
        }
    }

    private static void DescribeSentencePiece(SyntheticLayout layout, string preTokenizer, int count)
    {
        var tokens = new string[count];
        var scores = new float[count];
        var types = new int[count];
        for (var id = 0; id < count; id++)
        {
            var (special, filler) = (id < PieceSpecials.Length, id - PieceSpecials.Length - 256);
            tokens[id] = special ? PieceSpecials[id] : filler < 0 ? $"<0x{id - PieceSpecials.Length:X2}>" : filler == 0 ? WordMark : FillerPiece(filler - 1);
            types[id] = special ? (id == 0 ? Unknown : Control) : filler < 0 ? Byte : Normal;
            scores[id] = filler < 0 ? 0 : -1 - filler;
        }
        layout.Set("tokenizer.ggml.model", "llama");
        layout.Set("tokenizer.ggml.pre", preTokenizer);
        layout.Set("tokenizer.ggml.tokens", tokens);
        layout.Set("tokenizer.ggml.scores", scores);
        layout.Set("tokenizer.ggml.token_type", types);
        layout.SetCount("tokenizer.ggml.bos_token_id", 1);
        layout.SetCount("tokenizer.ggml.eos_token_id", 2);
        layout.SetCount("tokenizer.ggml.unknown_token_id", 0);
        layout.Set("tokenizer.ggml.add_bos_token", true);
        layout.Set("tokenizer.ggml.add_eos_token", false);
        layout.Set("tokenizer.ggml.add_space_prefix", true);
    }

    /// <summary>256 bytes, the end of text, letter pairs with their merges, then unused tokens.</summary>
    private static void DescribeBytePairs(SyntheticLayout layout, string preTokenizer, int count)
    {
        const int EndOfText = 256;
        var letters = Enumerable.Range('a', 26).Select(letter => ((char)letter).ToString()).ToArray();
        var pairs = letters.Select(letter => (First: "\u0120", Second: letter))
            .Concat(letters.SelectMany(first => letters, (first, second) => (First: first, Second: second)))
            .Take(count - EndOfText - 1).ToArray();
        var tokens = new string[count];
        var types = new int[count];
        ByteSymbols().CopyTo(tokens, 0);
        Array.Fill(types, Normal);
        tokens[EndOfText] = "<|endoftext|>";
        types[EndOfText] = Control;
        for (var id = EndOfText + 1; id < count; id++)
        {
            var index = id - EndOfText - 1;
            (tokens[id], types[id]) = index < pairs.Length ? (pairs[index].First + pairs[index].Second, Normal) : ($"[PAD{id}]", Unused);
        }
        layout.Set("tokenizer.ggml.model", "gpt2");
        layout.Set("tokenizer.ggml.pre", preTokenizer);
        layout.Set("tokenizer.ggml.tokens", tokens);
        layout.Set("tokenizer.ggml.token_type", types);
        layout.Set("tokenizer.ggml.merges", pairs.Select(pair => $"{pair.First} {pair.Second}").ToArray());
        layout.SetCount("tokenizer.ggml.bos_token_id", EndOfText);
        layout.SetCount("tokenizer.ggml.eos_token_id", EndOfText);
        layout.Set("tokenizer.ggml.add_bos_token", false);
    }

    private static void DescribeWordPieces(SyntheticLayout layout, string preTokenizer, int count)
    {
        var symbols = Enumerable.Range('!', '~' - '!' + 1).Select(symbol => ((char)symbol).ToString()).Where(symbol => !char.IsAsciiLetter(symbol[0])).ToArray();
        var tokens = new string[count];
        var types = new int[count];
        for (var id = 0; id < count; id++)
        {
            var index = id - WordSpecials.Length;
            tokens[id] = index < 0 ? WordSpecials[id] : index < 2 * symbols.Length ? (index % 2 == 0 ? WordMark : "") + symbols[index / 2] : FillerPiece(index - 2 * symbols.Length);
            types[id] = index < 0 ? Control : Normal;
        }
        layout.SetCount("tokenizer.ggml.token_type_count", 2);
        layout.Set("tokenizer.ggml.model", "bert");
        layout.Set("tokenizer.ggml.pre", preTokenizer);
        layout.Set("tokenizer.ggml.tokens", tokens);
        layout.Set("tokenizer.ggml.token_type", types);
        layout.SetCount("tokenizer.ggml.padding_token_id", 0);
        layout.SetCount("tokenizer.ggml.unknown_token_id", 1);
        layout.SetCount("tokenizer.ggml.bos_token_id", 2);
        layout.SetCount("tokenizer.ggml.cls_token_id", 2);
        layout.SetCount("tokenizer.ggml.seperator_token_id", 3); // spelled so in GGUF
        layout.SetCount("tokenizer.ggml.eos_token_id", 3);
        layout.SetCount("tokenizer.ggml.mask_token_id", 4);
    }

    /// <summary>Piece number <paramref name="index"/>: ▁a, a, ▁b, b, …, ▁z, z, ▁aa, aa, ….</summary>
    private static string FillerPiece(int index)
    {
        var text = new StringBuilder();
        for (var rest = index / 2; rest >= 0; rest = rest / 26 - 1) text.Insert(0, (char)('a' + rest % 26));
        return (index % 2 == 0 ? WordMark : "") + text;
    }

    /// <summary>
    /// The characters that stand for bytes in byte-level vocabularies, in the order of GPT-2: printable bytes as themselves, then
    /// the others as characters from U+0100.
    /// </summary>
    private static string[] ByteSymbols()
    {
        static bool IsPrintable(int value) => value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
        var others = Enumerable.Range(0, 256).Where(value => !IsPrintable(value)).Select((_, index) => (char)(0x100 + index));
        return [.. Enumerable.Range(0, 256).Where(IsPrintable).Select(value => (char)value).Concat(others).Select(symbol => symbol.ToString())];
    }
}
