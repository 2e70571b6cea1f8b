using FastLayers.Architectures;
using FastLayers.Kernels.Formats;
using FastLayers.Loading;
using FastLayers.Tokenization;

namespace FastLayers;

/// <summary>How a model is loaded.</summary>
public sealed record ModelOptions
{
    /// <summary>How activations enter products with block-quantized matrices, and queries those with packed keys.</summary>
    public ActivationPrecision Activations { get; init; } = ActivationPrecision.Int8;

    /// <summary>
    /// Whether every weight of a float format and every scale of the others is looked at for infinities and NaN, which reads all weights once.
    /// One such weight makes all logits NaN, long after its tensor could be named.
    /// </summary>
    public bool CheckValues { get; init; } = true;
}

/// <summary>
/// A transformer with its weights on one device: what sessions, generation and embeddings run on. Several sessions may use one model at once.
/// </summary>
/// <example>
/// <code>
/// using var model = Model.Load("model.gguf", Device.Cpu);
/// await foreach (var piece in model.GenerateAsync("Once upon a time", new() { MaxTokens = 64 }))
///     Console.Write(piece.Text);
/// </code>
/// </example>
public sealed class Model : IDisposable
{
    private readonly Transformer _transformer;
    private readonly IReadOnlyList<Tensor> _owned;

    private Model(ModelFile file, Tokenizer? tokenizer, Transformer transformer, IReadOnlyList<Tensor> owned)
    {
        File = file;
        Tokenizer = tokenizer;
        _transformer = transformer;
        _owned = owned;
    }

    /// <summary>What the forward pass knows about the model.</summary>
    public TransformerConfig Config => _transformer.Config;

    /// <summary>The device that holds the weights.</summary>
    public Device Device => _transformer.Device;

    /// <summary>The open file.</summary>
    public ModelFile File { get; }

    /// <summary>The tokenizer of the file, or null if it has none.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <summary>Opens a model: a GGUF file, a safetensors file or index, or a folder with a <c>config.json</c> and safetensors files.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="device">Where to run; the processor if null.</param>
    /// <param name="options">How to load; defaults if null.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellation">Ends loading early.</param>
    /// <exception cref="FileNotFoundException">The file is not there.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or inconsistent; the message says where.</exception>
    /// <exception cref="NotSupportedException">The file is sound but of a kind that cannot be run; the message says which.</exception>
    public static Model Load(string path, Device? device = null, ModelOptions? options = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        device ??= Device.Cpu;
        options ??= new ModelOptions();
        var file = ModelFile.Open(path);
        WeightReader? reader = null;
        try
        {
            var configuration = HuggingFaceConfig.Of(file.Metadata);
            var metadata = configuration?.Translate() ?? file.Metadata;
            string name = metadata.GetString("general.architecture") ?? (UseLite.Recognizes(file) ? UseLite.Name
                : throw new InvalidDataException($"{path}: no 'general.architecture' and no config.json says what kind of model this is."));
            var architecture = Architecture.Get(name, path);
            if (file.Tensors.Count == 0) throw new InvalidDataException($"{path}: the file holds no tensors (a vocabulary only?).");
            reader = new WeightReader(file, device, configuration is null ? null : new HuggingFaceNames(name), options.Activations);
            var config = ReadConfig(file, metadata, configuration, architecture, reader);
            configuration?.CheckTensors(reader, config.LayerCount);
            var weights = new WeightLoader(reader, architecture, config).Load(cancellation);
            if (options.CheckValues) CheckValues(file, reader.Used, progress, cancellation);
            reader.Forget();
            progress?.Report(1);
            return new Model(file, OpenTokenizer(file), new Transformer(config, weights, device, options.Activations), reader.Owned);
        }
        catch
        {
            foreach (var tensor in reader?.Owned ?? []) tensor.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>Rotary tables that sessions asked for; for tests.</summary>
    internal int RotaryTableCount => _transformer.RotaryTableCount;

    /// <summary>Starts a session.</summary>
    /// <param name="options">Defaults if null.</param>
    public Session CreateSession(SessionOptions? options = null) => new(_transformer, options ?? new SessionOptions());

    /// <summary>Logits after each of some tokens, [tokens, vocabulary], computed exactly as a session with an F32 cache does.</summary>
    /// <exception cref="InvalidOperationException">The model is an encoder.</exception>
    /// <exception cref="ArgumentException">The tokens exceed the learned positions.</exception>
    public float[] Logits(ReadOnlySpan<int> ids, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        RequireLogits();
        using var session = CreateSession(new SessionOptions { ContextLength = Math.Max(1, ids.Length), KeyFormat = Format.F32, ValueFormat = Format.F32 });
        int vocabulary = Config.VocabularySize;
        var logits = new float[(long)ids.Length * vocabulary];
        for (int start = 0; start < ids.Length; start += session.ChunkLength)
        {
            int count = Math.Min(session.ChunkLength, ids.Length - start);
            session.AppendWithLogits(ids.Slice(start, count), logits.AsSpan(start * vocabulary, count * vocabulary), cancellation: cancellation);
            progress?.Report((start + count) / (double)ids.Length);
        }

        return logits;
    }

    /// <summary>
    /// The residual stream at a layer boundary for some tokens, [tokens, width]: 0 is the first block's input, i the output of block i − 1.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such boundary.</exception>
    public float[] Hidden(ReadOnlySpan<int> ids, int boundary, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(boundary);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(boundary, Config.LayerCount);
        var probe = new ResidualStreamProbe();
        using var session = CreateSession(new SessionOptions { ContextLength = Math.Max(1, ids.Length), KeyFormat = Format.F32, ValueFormat = Format.F32, Probe = probe });
        session.Append(ids, cancellation: cancellation);
        return ids.IsEmpty ? [] : [.. probe.Boundaries[boundary]];
    }

    /// <summary>
    /// One vector for a text, of length 1 (Euclidean): pooled as the model was trained to be. Of a text longer than the context the start
    /// counts, with the token that ends texts if the tokenizer has one.
    /// </summary>
    /// <exception cref="InvalidOperationException">The file has no tokenizer.</exception>
    public float[] Embed(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokenizer = Tokenizer ?? throw NoTokenizer();
        int[] ids = tokenizer.Encode(text);
        return Embed(ids.Length > Config.ContextLength && tokenizer.AddsEnd ? [.. ids.AsSpan(0, Config.ContextLength - 1), ids[^1]] : ids);
    }

    /// <summary>One vector for some tokens, of length 1 (Euclidean). Tokens beyond the context are left out.</summary>
    /// <exception cref="ArgumentException">There are no tokens.</exception>
    public float[] Embed(ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty) throw new ArgumentException("There is nothing to embed.", nameof(ids));
        if (ids.Length > Config.ContextLength) ids = ids[..Config.ContextLength];
        using var session = CreateSession(new SessionOptions { ContextLength = ids.Length, ChunkLength = ids.Length, KeyFormat = Format.F32, ValueFormat = Format.F32 });
        session.Append(ids);
        var hidden = new float[ids.Length * Config.Width];
        session.HiddenOfRows([.. Enumerable.Range(0, ids.Length)], hidden);
        return EmbeddingHead.Apply(_transformer, hidden);
    }

    /// <summary>Continues a text, piece by piece.</summary>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="options">How to choose tokens and when to stop; defaults if null.</param>
    /// <param name="sessionOptions">Context and cache; defaults if null.</param>
    /// <param name="cancellation">Looked at between tokens and between the layers of a pass.</param>
    /// <exception cref="InvalidOperationException">The model has no tokenizer or is an encoder, or the prompt exceeds the context.</exception>
    public IAsyncEnumerable<GenerationPiece> GenerateAsync(string prompt, GenerationOptions? options = null, SessionOptions? sessionOptions = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var tokenizer = Tokenizer ?? throw NoTokenizer();
        if (Config.IsEncoder) throw new InvalidOperationException($"{Config.Architecture} is an encoder: it does not generate text.");
        return new TextGenerator(this, tokenizer, options ?? new GenerationOptions(), sessionOptions).RunAsync(prompt, cancellation);
    }

    /// <summary>Frees the weights and closes the file. Sessions must be disposed before.</summary>
    public void Dispose()
    {
        _transformer.Dispose();
        foreach (var tensor in _owned) tensor.Dispose();
        File.Dispose();
    }

    /// <summary>Refuses encoders, which have no logits.</summary>
    internal void RequireLogits()
    {
        if (Config.IsEncoder) throw new InvalidOperationException($"{Config.Architecture} is an encoder: it has no logits.");
    }

    private InvalidOperationException NoTokenizer() => new($"{File.Path} has no tokenizer.");

    private static TransformerConfig ReadConfig(ModelFile file, ModelMetadata metadata, HuggingFaceConfig? configuration, Architecture architecture, WeightReader reader)
    {
        if (architecture.Name == UseLite.Name) return UseLite.Config(file);
        var config = new ConfigReader(metadata, architecture).Read((int)reader.Shape("token_embd.weight").Rows);
        if (config.Rotary is not { } rotary) return config;

        // Per-pair divisors are tensors: llama-3's scaling in one, phi-3's for short and long contexts in two.
        int pairs = rotary.Dimensions / 2;
        float[]? Divisors(string name, string key) => reader.OptionalValues(name) is not { } values ? configuration?.RotaryDivisors(key, pairs)
            : values.Length == pairs ? values
            : throw new InvalidDataException($"{file.Path}: tensor '{name}' should be [{pairs}], found [{values.Length}].");
        config = config with
        {
            Rotary = rotary with
            {
                FrequencyDivisors = Divisors("rope_factors_short.weight", "short_factor") ?? Divisors("rope_freqs.weight", "short_factor"),
                LongFrequencyDivisors = Divisors("rope_factors_long.weight", "long_factor"),
            },
        };
        try
        {
            RotaryTables.Validate(config);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"{file.Path}: the rotary positions make no sense: {exception.Message}", exception);
        }

        return config;
    }

    private static void CheckValues(ModelFile file, IReadOnlyCollection<TensorEntry> tensors, IProgress<double>? progress, CancellationToken cancellation)
    {
        long total = Math.Max(1, tensors.Sum(t => t.ByteLength));
        long done = 0;
        try
        {
            Parallel.ForEach(tensors, new ParallelOptions { CancellationToken = cancellation }, entry =>
            {
                file.CheckFinite(entry);
                file.Forget();
                progress?.Report(Interlocked.Add(ref done, entry.ByteLength) / (double)total);
            });
        }
        catch (AggregateException exception) when (exception.InnerException is InvalidDataException inner)
        {
            throw inner;
        }
    }

    /// <summary>The tokenizer of a file, or of the vocabulary files beside it; null if there is none.</summary>
    /// <exception cref="InvalidDataException">The vocabulary is damaged or inconsistent.</exception>
    public static Tokenizer? OpenTokenizer(ModelFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        string path = file.Path;
        if (file.Metadata.Contains("tokenizer.ggml.model")) return Tokenizer.FromMetadata(file.Metadata);
        string folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (string name in (ReadOnlySpan<string>)["tokenizer.json", "vocab.json", "vocab.txt"])
        {
            string candidate = Path.Combine(folder, name);
            if (System.IO.File.Exists(candidate)) return Tokenizer.FromFile(candidate);
        }

        return null;
    }
}
