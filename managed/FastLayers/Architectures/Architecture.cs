using FastLayers.Kernels.Activation;

namespace FastLayers.Architectures;

/// <summary>Where the norms of a block stand.</summary>
[Flags]
internal enum NormPlacement
{
    /// <summary>Before each sublayer: <c>x + f(norm(x))</c>.</summary>
    Before = 1,

    /// <summary>After each sublayer: <c>x + norm(f(x))</c>.</summary>
    After = 2,

    /// <summary>After each addition: <c>norm(x + f(x))</c>.</summary>
    AfterAddition = 4,
}

/// <summary>
/// What distinguishes one architecture from the next: a row of a table, read together with a file's metadata. Weights have the names of
/// GGUF files; <see cref="HuggingFaceNames"/> translates the others.
/// </summary>
internal sealed record Architecture(string Name)
{
    public NormKind Norm { get; init; } = NormKind.Rms;

    public NormPlacement Placement { get; init; } = NormPlacement.Before;

    public ActivationKind Activation { get; init; } = ActivationKind.Silu;

    public bool Gated { get; init; } = true;

    /// <summary>Rotary positions rather than learned ones.</summary>
    public bool Rotary { get; init; } = true;

    /// <summary>Rotary pairs are (i, i + d/2).</summary>
    public bool RotaryHalves { get; init; } = true;

    public bool QkNorm { get; init; }

    /// <summary>Embeddings are multiplied by √width.</summary>
    public bool ScalesEmbeddings { get; init; }

    public bool Causal { get; init; } = true;

    public bool EmbeddingNorm { get; init; }

    /// <summary>As <see cref="AttentionConfig.WindowPattern"/>.</summary>
    public int WindowPattern { get; init; }

    /// <summary>Length of the window in files that do not state it.</summary>
    public int DefaultWindow { get; init; }

    /// <summary>A GGUF file may state a window that the engine it was made for does not apply (phi3).</summary>
    public bool IgnoresWindow { get; init; }

    /// <summary>Base of the rotary frequencies in windowed layers where it differs.</summary>
    public double? LocalRotaryBase { get; init; }

    /// <summary>Layer count at which scores are scaled by 1/√(width / heads) instead of 1/√(key size): the 27B gemmas.</summary>
    public int LayerCountScaledByWidth { get; init; }

    public float AttentionSoftCap { get; init; }

    public float LogitSoftCap { get; init; }

    public bool RenormalizesExperts { get; init; }

    /// <summary>Every architecture that can be run, by its name in GGUF files.</summary>
    public static IReadOnlyDictionary<string, Architecture> All { get; } = new[]
    {
        new Architecture("llama") { RotaryHalves = false },
        new Architecture("qwen2"),
        new Architecture("qwen3") { QkNorm = true },
        new Architecture("qwen3moe") { QkNorm = true, RenormalizesExperts = true },
        new Architecture("gemma2")
        {
            Placement = NormPlacement.Before | NormPlacement.After, Activation = ActivationKind.GeluTanh, ScalesEmbeddings = true,
            WindowPattern = 2, DefaultWindow = 4096, AttentionSoftCap = 50, LogitSoftCap = 30, LayerCountScaledByWidth = 46,
        },
        new Architecture("gemma3")
        {
            Placement = NormPlacement.Before | NormPlacement.After, Activation = ActivationKind.GeluTanh, ScalesEmbeddings = true, QkNorm = true,
            WindowPattern = 6, LocalRotaryBase = 10000, LayerCountScaledByWidth = 62,
        },
        new Architecture("phi3") { IgnoresWindow = true },
        new Architecture("olmo2") { Placement = NormPlacement.After, QkNorm = true },
        new Architecture("gpt2") { Norm = NormKind.Layer, Activation = ActivationKind.GeluTanh, Gated = false, Rotary = false },
        new Architecture("bert")
        {
            Norm = NormKind.Layer, Placement = NormPlacement.AfterAddition, Activation = ActivationKind.GeluErf, Gated = false, Rotary = false,
            Causal = false, EmbeddingNorm = true,
        },
        UseLite.Architecture,
    }.ToDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>The row for a name in a file.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    public static Architecture Get(string name, string source) =>
        All.TryGetValue(name, out var architecture)
            ? architecture
            : throw new NotSupportedException($"{source}: architecture '{name}' is not supported; supported are {string.Join(", ", All.Keys.Order(StringComparer.Ordinal))}.");
}
