using FastLayers.Kernels.Formats;

namespace FastLayers.Synthesis;

/// <summary>The shape, storage format and seed of a model with random weights.</summary>
public sealed record SyntheticModelOptions
{
    /// <summary>The architecture by its GGUF name; <see cref="Architectures"/> lists them.</summary>
    public string Architecture { get; init; } = "llama";

    /// <summary>The format of all matrices. Rows that are not whole blocks are stored as F16; norms, biases and tables stay F32.</summary>
    public Format Format { get; init; } = Format.F32;

    /// <summary>The seed. The same options give the same file, byte for byte, on every machine.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The number of layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>The width of the residual stream.</summary>
    public int Width { get; init; } = 64;

    /// <summary>The inner width of the feed-forward network, or of each expert.</summary>
    public int FeedForward { get; init; } = 192;

    /// <summary>The number of query heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>The number of key and value heads; 0 for as many as query heads.</summary>
    public int KeyValueHeads { get; init; }

    /// <summary>The width of one head; 0 for <see cref="Width"/> / <see cref="Heads"/>.</summary>
    public int HeadSize { get; init; }

    /// <summary>The number of tokens.</summary>
    public int Vocabulary { get; init; } = 512;

    /// <summary>The longest sequence.</summary>
    public int Context { get; init; } = 256;

    /// <summary>Whether the output matrix is the token embedding; null for what the architecture usually does.</summary>
    public bool? Tied { get; init; }

    /// <summary>The number of experts (mixture architectures only).</summary>
    public int Experts { get; init; }

    /// <summary>The number of experts that a token visits.</summary>
    public int ExpertsUsed { get; init; }

    /// <summary>The positions that a layer with a sliding window sees; 0 for none.</summary>
    public int Window { get; init; }

    /// <summary>The rotary positions.</summary>
    public SyntheticRotary Rotary { get; init; } = new();

    /// <summary>The standard deviation of all matrices; 0 for 1 / sqrt(columns), which keeps activations near unit size at any width.</summary>
    public float Deviation { get; init; }

    /// <summary>The names that <see cref="Architecture"/> may have.</summary>
    public static IReadOnlyList<string> Architectures { get; } = [.. SyntheticArchitecture.All.Select(architecture => architecture.Name)];

    /// <summary>Reads options from text.</summary>
    /// <param name="shape">
    /// <c>135m</c> (SmolLM), <c>1.1b</c> (TinyLlama), <c>8b</c> (Llama 3), or numbers such as
    /// <c>layers=2,width=256,ffn=512,heads=4,kv-heads=2,vocabulary=512</c>; a name may be followed by numbers that change it:
    /// <c>8b,layers=4</c>. Keys: layers, width, ffn, heads, kv-heads, head-size, vocabulary, context, tied, experts, experts-used,
    /// window, rope-dimensions, rope-base, rope-scaling (none, linear, yarn, llama3, longrope), rope-factor, original-context, deviation.
    /// </param>
    /// <param name="architecture">One of <see cref="Architectures"/>.</param>
    /// <param name="format">The name of a storage format, e.g. <c>q4_0</c>.</param>
    /// <param name="seed">The seed.</param>
    /// <exception cref="ArgumentException">A key, number or name is unknown, or the numbers do not fit each other or the architecture.</exception>
    public static SyntheticModelOptions Parse(string shape, string architecture = "llama", string format = "f32", ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(architecture);
        if (!Format.TryParse(format, out var storage))
            throw new ArgumentException($"Expected a storage format ({string.Join(", ", Format.All.Select(known => known.Name))}), found '{format}'.", nameof(format));
        var options = SyntheticShape.Parse(shape, new SyntheticModelOptions { Architecture = architecture, Format = storage, Seed = seed });
        SyntheticArchitecture.Of(options).Check(options);
        return options;
    }
}
