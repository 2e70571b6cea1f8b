using System.Text.Json;

namespace FastLayers.Tokenization;

/// <summary>Reads vocabulary files that stand beside a model.</summary>
internal static class VocabularyFileReader
{
    /// <summary>Largest file that is read; the largest known is below a tenth of it.</summary>
    private const long MaximumBytes = 1L << 28;

    public static Tokenizer Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: there is no such file.", path);
        long bytes = new FileInfo(path).Length;
        if (bytes > MaximumBytes) throw new InvalidDataException($"{path}: a vocabulary file should have at most {MaximumBytes} bytes, found {bytes}.");
        if (path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase)) return WordPiece(path, File.ReadAllLines(path));
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Array) return Unigram(path, root);
            if (root.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{path}: a vocabulary should be an object or an array, found {root.ValueKind}.");
            return root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.Object
                ? new HuggingFaceTokenizerReader(path, root, model).Read()
                : Gpt2(path, root);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{path}: no valid JSON: {exception.Message}", exception);
        }
        catch (InvalidOperationException exception)
        {
            // A JSON value of another kind than was asked for.
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>Pieces by id out of an object of ids by piece.</summary>
    public static string[] PiecesById(string path, JsonElement vocabulary, IEnumerable<(string Piece, int Id)> more)
    {
        var pieces = new SortedDictionary<int, string>();
        foreach (var property in vocabulary.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetInt32(out int id) || id < 0)
                throw new InvalidDataException($"{path}: the id of '{property.Name}' should be a whole number from 0, found {property.Value}.");
            if (!pieces.TryAdd(id, property.Name)) throw new InvalidDataException($"{path}: id {id} should stand for one piece, found '{pieces[id]}' and '{property.Name}'.");
        }

        foreach (var (piece, id) in more) pieces[id] = piece;
        int count = pieces.Count == 0 ? 0 : pieces.Keys.Last() + 1;
        // Ids may leave gaps, but not more than there are pieces: else a number is wrong.
        if (count > 2L * pieces.Count + 1024) throw new InvalidDataException($"{path}: {pieces.Count} pieces should have ids up to about that, found {count - 1}.");
        var result = new string[count];
        for (int i = 0; i < count; i++) result[i] = pieces.GetValueOrDefault(i, $"<unused{i}>");
        return result;
    }

    public static WordPieceTokenizer WordPiece(string path, string[] lines, bool lowerCase = true)
    {
        // Files mark continuations with ##; here, as in GGUF, word starts are marked.
        string[] pieces = [.. lines.Select(l => l.StartsWith("##", StringComparison.Ordinal) && l.Length > 2 ? l[2..] : IsBracketed(l) ? l : SentencePieceBpeTokenizer.Space + l)];
        var kinds = pieces.Select(p => IsBracketed(p) ? TokenKind.Control : TokenKind.Normal).ToArray();
        var vocabulary = new Vocabulary(path, pieces, kinds);
        int? Named(string piece) => vocabulary.TryGetId(piece, out int id) ? id : null;
        return new WordPieceTokenizer(vocabulary, new SpecialTokens
        {
            Begin = Named("[CLS]"),
            Separator = Named("[SEP]"),
            Unknown = Named("[UNK]"),
            Pad = Named("[PAD]"),
            AddsBegin = true,
            AddsEnd = true,
        }, lowerCase);
    }

    private static bool IsBracketed(string piece) => piece is "[CLS]" or "[SEP]" or "[UNK]" or "[PAD]" or "[MASK]";

    /// <summary>A list of pieces and scores (Universal Sentence Encoder Lite). A missing score counts 0, as its own tokenizer has it.</summary>
    private static UnigramTokenizer Unigram(string path, JsonElement root)
    {
        int count = root.GetArrayLength();
        var pieces = new string[count];
        var scores = new float[count];
        int i = 0;
        foreach (var entry in root.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[0].ValueKind != JsonValueKind.String || entry[1].ValueKind is not (JsonValueKind.Number or JsonValueKind.Null))
                throw new InvalidDataException($"{path}: entry {i} should be a piece and a score, found {entry}.");
            pieces[i] = entry[0].GetString()!;
            scores[i++] = entry[1].ValueKind == JsonValueKind.Null ? 0 : entry[1].GetSingle();
        }

        // The first six stand for unknown text, begin, end and places that are not used; no text matches them.
        const int reserved = 6;
        var kinds = pieces.Select((_, id) => id == 0 ? TokenKind.Unknown : id < reserved ? TokenKind.Control : TokenKind.Normal).ToArray();
        return new UnigramTokenizer(new Vocabulary(path, pieces, kinds, scores), new SpecialTokens { Unknown = 0 }, addsSpacePrefix: true);
    }

    private static ByteLevelBpeTokenizer Gpt2(string path, JsonElement root)
    {
        string mergesPath = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path).Replace("vocab.json", "merges.txt", StringComparison.Ordinal));
        if (!File.Exists(mergesPath) || mergesPath == Path.GetFullPath(path)) throw new FileNotFoundException($"{path}: the merges should be in {mergesPath}, which does not exist.", mergesPath);
        string[] pieces = PiecesById(path, root, []);
        var kinds = pieces.Select(p => p == "<|endoftext|>" ? TokenKind.Control : TokenKind.Normal).ToArray();
        var vocabulary = new Vocabulary(path, pieces, kinds);
        int? end = vocabulary.TryGetId("<|endoftext|>", out int id) ? id : null;
        string[] merges = [.. File.ReadLines(mergesPath).Where((line, i) => line.Length > 0 && !(i == 0 && line.StartsWith("#version", StringComparison.Ordinal)))];
        return new ByteLevelBpeTokenizer(vocabulary, new SpecialTokens { Begin = end, End = end }, merges, PreTokenizer.Gpt2);
    }
}
