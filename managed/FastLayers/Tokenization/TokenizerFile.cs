using System.Text;

namespace FastLayers.Tokenization;

/// <summary>Tells tokenizer files apart and reads the simple ones; <see cref="TokenizerJson"/> reads the Hugging Face format.</summary>
internal static class TokenizerFile
{
    /// <summary>The longest word, in characters, that BERT's vocabulary files are meant for.</summary>
    private const int MaxBertWord = 100;

    public static Tokenizer Open(string path)
    {
        if (Path.GetExtension(path).Equals(".txt", StringComparison.OrdinalIgnoreCase)) return WordList(path);
        var root = JsonPart.Read(path);
        if (root.IsList) return PieceList(path, root);
        return root.IsObject && root.Find("model") is { IsObject: true } ? new TokenizerJson(path, root).Create() : VocabularyAndMerges(path, root);
    }

    /// <summary>GPT-2, or Qwen 2 where the configuration beside it says so: an object of token to id, and the merge list.</summary>
    private static ByteLevelBpeTokenizer VocabularyAndMerges(string path, JsonPart root)
    {
        var builder = new VocabularyBuilder(path);
        foreach (var (text, id) in root.Members()) builder.Add(id.Integer(), text, TokenKind.Normal);
        var vocabulary = builder.Build();

        var mergesPath = Path.Combine(
            Path.GetDirectoryName(path) ?? "", Path.GetFileName(path).Replace("vocab.json", "merges.txt", StringComparison.OrdinalIgnoreCase));
        if (mergesPath == path || !File.Exists(mergesPath)) throw new FileNotFoundException($"{path}: the merges should be in a file beside it, {mergesPath}, which does not exist.", mergesPath);
        var merges = new List<(string, string)>();
        foreach (var line in ReadLines(mergesPath))
        {
            if (line.Length == 0 || merges.Count == 0 && line.StartsWith("#version", StringComparison.Ordinal)) continue;
            merges.Add(PairRanks.ParseLine(mergesPath, line, merges.Count));
        }

        var config = new TokenizerConfig(path);
        var special = new SpecialTokens
        {
            Begin = config.Token(vocabulary, "bos_token") ?? vocabulary.FindId("<|endoftext|>") ?? vocabulary.FindId("<s>"),
            End = config.Token(vocabulary, "eos_token") ?? vocabulary.FindId("<|endoftext|>") ?? vocabulary.FindId("</s>"),
            Unknown = config.Token(vocabulary, "unk_token") ?? vocabulary.FindId("<unk>"),
            Pad = config.Token(vocabulary, "pad_token") ?? vocabulary.FindId("<pad>"),
        };
        special = special with { EndIds = config.EndIds(vocabulary, special.End) };
        special.MarkControl(vocabulary);
        var ranks = PairRanks.Create(vocabulary, merges, mergesPath);
        return config.Class?.StartsWith("Qwen2", StringComparison.Ordinal) ?? false
            ? new ByteLevelBpeTokenizer(
                vocabulary, special, ranks, [WordPattern.Qwen2], wholeWordsFirst: false, [TextRewrites.Normalize(NormalizationForm.FormC)])
            : new ByteLevelBpeTokenizer(vocabulary, special, ranks, [WordPattern.Gpt2], wholeWordsFirst: false, rewrites: []);
    }

    /// <summary>BERT: one token a line, the line number is the id.</summary>
    private static WordPieceTokenizer WordList(string path)
    {
        var lines = ReadLines(path);
        var kinds = new TokenKind[lines.Length];
        Array.Fill(kinds, TokenKind.Normal);
        var vocabulary = new Vocabulary(path, lines, kinds);
        var config = new TokenizerConfig(path);
        var special = BertRoles(vocabulary, config);
        foreach (var text in (string[])["[PAD]", "[MASK]"])
        {
            if (vocabulary.FindId(text) is { } id) vocabulary.MarkControl(id);
        }
        var lowerCase = config.LowerCase ?? true;
        var options = new WordPieceOptions { LowerCase = lowerCase, StripAccents = lowerCase, MaxWordLength = MaxBertWord };
        return new WordPieceTokenizer(vocabulary, special, startMark: "", continuationMark: "##", options, rewrites: []);
    }

    private static SpecialTokens BertRoles(Vocabulary vocabulary, TokenizerConfig config)
    {
        var begin = config.Token(vocabulary, "cls_token") ?? vocabulary.FindId("[CLS]");
        var separator = config.Token(vocabulary, "sep_token") ?? vocabulary.FindId("[SEP]");
        var special = new SpecialTokens
        {
            Begin = begin,
            End = separator,
            Separator = separator,
            Unknown = config.Token(vocabulary, "unk_token") ?? vocabulary.FindId("[UNK]"),
            Pad = config.Token(vocabulary, "pad_token") ?? vocabulary.FindId("[PAD]"),
            EndIds = separator is { } end ? [end] : [],
            Prefix = begin is { } first ? [first] : [],
            Suffix = separator is { } last ? [last] : [],
        };
        special.MarkControl(vocabulary);
        return special;
    }

    /// <summary>
    /// Universal Sentence Encoder: a list of pieces with their scores. The first is the unknown token and the ones up to the first
    /// scored piece are reserved. As its published reader does, a piece without a score counts 0 and the last of equal pieces is used.
    /// </summary>
    private static UnigramTokenizer PieceList(string path, JsonPart root)
    {
        var count = root.Count();
        var (texts, scores, kinds) = (new string[count], new float[count], new TokenKind[count]);
        var reserved = true;
        foreach (var (id, entry) in root.Items().Index())
        {
            if (entry.Count() != 2) throw entry.Mismatch("a piece and its score");
            texts[id] = entry[0].Text();
            scores[id] = entry[1].IsNull ? 0 : entry[1].Number();
            reserved &= scores[id] == 0;
            kinds[id] = id == 0 ? TokenKind.Unknown : reserved ? TokenKind.Control : TokenKind.Normal;
        }
        var vocabulary = new Vocabulary(path, texts, kinds, keepLastDuplicate: true);
        var special = new SpecialTokens { Unknown = 0, Begin = vocabulary.FindId("<s>"), End = vocabulary.FindId("</s>") };
        if (special.End is { } end) special = special with { EndIds = [end] };
        TextRewrite[] rewrites =
        [
            TextRewrites.Normalize(NormalizationForm.FormKC), TextRewrites.Prefix(" "), TextRewrites.SpacesToMarks,
        ];
        return new UnigramTokenizer(vocabulary, special, scores, rewrites, cutsBeforeSpaces: false, dropsLeadingSpace: true);
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            JsonPart.CheckSize(path);
            return File.ReadAllLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (DecoderFallbackException error)
        {
            throw new InvalidDataException($"{path}: should be UTF-8 text: {error.Message}", error);
        }
    }
}
