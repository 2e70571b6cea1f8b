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

    public static IReadOnlyList<FuzzKind> All { get; } = [Gguf, Safetensors];

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
}
