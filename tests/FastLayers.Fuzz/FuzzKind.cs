using FastLayers.Loading;

namespace FastLayers.Fuzz;

/// <summary>A kind of input: valid seeds, and the code that must survive what a mutator makes of them.</summary>
/// <param name="Name">As given on the command line.</param>
/// <param name="Seeds">Makes the seeds.</param>
/// <param name="Use">Uses a model. With random numbers it also asks for what a valid model may refuse; without, nothing may be refused.</param>
public sealed record FuzzKind(string Name, Func<FuzzSeed[]> Seeds, Action<string, Random?> Use)
{
    public static FuzzKind Gguf { get; } = new("gguf", GgufSeeds.Make, OpenAndTouch);

    public static FuzzKind Safetensors { get; } = new("safetensors", SafetensorsSeeds.Make, OpenAndTouch);

    public static FuzzKind Tokenizer { get; } = new("tokenizer", TokenizerSeeds.Make, Tokenize);

    public static FuzzKind Model { get; } = new("model", ModelSeeds.Make, ModelSeeds.Run);

    public static IReadOnlyList<FuzzKind> All { get; } = [Gguf, Safetensors, Tokenizer, Model];

    public static string Names => string.Join('|', All.Select(kind => kind.Name));

    /// <summary>Opens a model and uses all that it offers: one read of each metadata value, both ends of each tensor, all scales.</summary>
    private static unsafe void OpenAndTouch(string path, Random? random)
    {
        using var model = ModelFile.Open(path);
        var sum = 0L;
        foreach (var tensor in model.Tensors)
        {
            if (!ReferenceEquals(model.GetTensor(tensor.Name), tensor)) throw new InvalidOperationException("A name found another tensor.");
            if (tensor.Rows * tensor.Format.RowBytes(tensor.Columns) != tensor.ByteLength) throw new InvalidOperationException("Shape and length differ.");
            var bytes = model.Bytes(tensor);
            sum += bytes[0] + bytes[^1];
        }
        foreach (var (key, value) in model.Metadata.Values)
        {
            if (value is Array array) sum += array.Length + (model.Metadata.GetArray<string>(value is string[]? key : "")?.Length ?? 0);
            else sum += value.ToString()!.Length;
        }
        GC.KeepAlive(sum);

        foreach (var tensor in model.Tensors) model.CheckFinite(tensor);
        if (random?.Next(4) == 0) AskForAnyType(model.Metadata, random);
    }

    private static void AskForAnyType(ModelMetadata metadata, Random random)
    {
        if (metadata.Values.Count == 0) return;
        var key = metadata.Values.Keys.ElementAt(random.Next(metadata.Values.Count));
        switch (random.Next(6))
        {
            case 0: metadata.GetString(key); break;
            case 1: metadata.GetInteger(key); break;
            case 2: metadata.GetNumber(key); break;
            case 3: metadata.GetFlag(key); break;
            case 4: metadata.GetIntegers(key); break;
            default: metadata.GetNumbers(key); break;
        }
    }

    /// <summary>Text of every script that the seeds know, then what they do not know, then control tokens and a lone surrogate.</summary>
    private static readonly string[] Texts =
        ["", " ", "ab abc a  b", "aéb 😀", "日本 \u0301\0\r\n\t1234567", "<s>ab</s><unk>[SEP][MASK]<|endoftext|><0x41>", "a\ud800", "xax x", new string('a', 500) + "bc"];

    private static Tokenization.Tokenizer Open(string path)
    {
        if (path.EndsWith(".json", StringComparison.Ordinal)) return Tokenization.Tokenizer.FromFile(path);
        using var model = ModelFile.Open(path);
        return Tokenization.Tokenizer.FromMetadata(model.Metadata);
    }

    /// <summary>Makes the tokenizer of a file, encodes texts and decodes what comes out.</summary>
    private static void Tokenize(string path, Random? random)
    {
        var tokenizer = Open(path);
        foreach (var text in Texts)
        {
            var ids = tokenizer.Encode(text, addSpecial: random?.Next(2) != 0, parseSpecial: random?.Next(2) != 0);
            if (Array.Exists(ids, id => (uint)id >= (uint)tokenizer.VocabularySize)) throw new InvalidOperationException("A token lies outside the vocabulary.");
            var decoder = tokenizer.CreateStreamingDecoder(startsText: true, skipSpecial: false);
            var streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
            if (streamed != tokenizer.Decode(ids, skipSpecial: false)) throw new InvalidOperationException("Streaming gave another text.");
        }
    }
}
