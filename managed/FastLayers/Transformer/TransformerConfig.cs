using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Pooling;

namespace FastLayers;

/// <summary>Everything that the forward pass needs to know about a model besides its weights.</summary>
public sealed record TransformerConfig
{
    /// <summary>Name of the architecture, such as <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The model's own name, if the file has one.</summary>
    public string? Name { get; init; }

    /// <summary>Number of tokens in the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Longest sequence that the model was made for.</summary>
    public required int ContextLength { get; init; }

    /// <summary>How tokens attend to each other.</summary>
    public required AttentionConfig Attention { get; init; }

    /// <summary>The norms.</summary>
    public required NormConfig Norm { get; init; }

    /// <summary>The feed-forward part.</summary>
    public required FeedForwardConfig FeedForward { get; init; }

    /// <summary>Rotary positions, or null where positions are learned or absent.</summary>
    public RotaryConfig? Rotary { get; init; }

    /// <summary>Rotary positions of the layers with a sliding window where they differ (gemma3), or null.</summary>
    public RotaryConfig? LocalRotary { get; init; }

    /// <summary>Factor of the token embeddings.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>If positive, logits l become <c>cap · tanh(l / cap)</c>.</summary>
    public float LogitSoftCap { get; init; }

    /// <summary>Whether the model is an encoder: no logits, every token sees the whole sequence.</summary>
    public bool IsEncoder => !Attention.Causal;

    /// <summary>How an encoder's token vectors become one embedding.</summary>
    public PoolingKind Pooling { get; init; } = PoolingKind.Mean;
}

/// <summary>Attention of a model.</summary>
public sealed record AttentionConfig
{
    /// <summary>Number of query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of key/value heads; divides <see cref="Heads"/>.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Values a key or query head; 0 where each layer has its own (its projection's rows over the heads).</summary>
    public required int KeySize { get; init; }

    /// <summary>Values a value head; 0 as for <see cref="KeySize"/>.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Factor of the scores; 0 means 1/√(key size).</summary>
    public float Scale { get; init; }

    /// <summary>If positive, the cap of the scores.</summary>
    public float SoftCap { get; init; }

    /// <summary>Whether a token sees only itself and those before.</summary>
    public bool Causal { get; init; } = true;

    /// <summary>Length of the sliding window, or 0.</summary>
    public int Window { get; init; }

    /// <summary>
    /// Which layers have the window: layer i unless <c>i mod Pattern = Pattern − 1</c>; 1 means none and 0 means all. (gemma2: 2, gemma3: 6.)
    /// </summary>
    public int WindowPattern { get; init; }

    /// <summary>Which layers have the window, one value a layer, where no <see cref="WindowPattern"/> says it; or null.</summary>
    public IReadOnlyList<bool>? WindowedLayers { get; init; }

    /// <summary>Whether layer <paramref name="layer"/> has the sliding window.</summary>
    public bool IsWindowed(int layer) =>
        Window > 0 && (WindowedLayers is { } layers ? layers[layer] : WindowPattern == 0 || layer % WindowPattern != WindowPattern - 1);
}

/// <summary>Norms of a model. Where they stand follows from which norm weights a layer has.</summary>
/// <param name="Kind">Root-mean-square or layer norm.</param>
/// <param name="Epsilon">Added to the mean square or variance.</param>
public sealed record NormConfig(NormKind Kind, float Epsilon);

/// <summary>Kinds of norm.</summary>
public enum NormKind
{
    /// <summary>x / √(mean x² + ε) · weight.</summary>
    Rms,

    /// <summary>(x − mean) / √(variance + ε) · weight + bias.</summary>
    Layer,
}

/// <summary>Feed-forward part of a model.</summary>
public sealed record FeedForwardConfig
{
    /// <summary>The nonlinearity.</summary>
    public required ActivationKind Activation { get; init; }

    /// <summary>Width of the hidden layer, of one expert where there are experts.</summary>
    public required int Width { get; init; }

    /// <summary>Number of experts, or 0.</summary>
    public int Experts { get; init; }

    /// <summary>Experts that a token uses.</summary>
    public int ExpertsUsed { get; init; }

    /// <summary>Whether the weights of the experts used are scaled to sum to 1.</summary>
    public bool RenormalizeExperts { get; init; }
}

/// <summary>Rotary position embedding of a model.</summary>
public sealed record RotaryConfig
{
    /// <summary>Base of the frequencies.</summary>
    public required double Base { get; init; }

    /// <summary>Rotated values a head; the rest stays.</summary>
    public required int Dimensions { get; init; }

    /// <summary>Whether pairs are (i, i + d/2), the NeoX style, rather than neighbours.</summary>
    public required bool Halves { get; init; }

    /// <summary>Stretching for longer contexts, or null.</summary>
    public RotaryScaling? Scaling { get; init; }

    /// <summary>Divisors of the frequencies, one a pair (llama-3's <c>rope_freqs</c>, phi-3's short factors), or null.</summary>
    public IReadOnlyList<float>? FrequencyDivisors { get; init; }

    /// <summary>Divisors that take their place where a context exceeds <see cref="OriginalContext"/> (phi-3's long factors), or null.</summary>
    public IReadOnlyList<float>? LongFrequencyDivisors { get; init; }

    /// <summary>Context length of the original training, for <see cref="LongFrequencyDivisors"/>.</summary>
    public int OriginalContext { get; init; }

    /// <summary>Factor of cosines and sines.</summary>
    public float Magnitude { get; init; } = 1;
}

/// <summary>How rotary positions are stretched.</summary>
public sealed record RotaryScaling
{
    /// <summary>Kinds of stretching.</summary>
    public enum ScalingKind
    {
        /// <summary>Positions divided by the factor.</summary>
        Linear,

        /// <summary>YaRN: high frequencies kept, low ones divided, a ramp between.</summary>
        Yarn,

        /// <summary>llama-3: by wavelength against the original context.</summary>
        Llama3,
    }

    /// <summary>The kind.</summary>
    public required ScalingKind Kind { get; init; }

    /// <summary>How much longer the context becomes.</summary>
    public required double Factor { get; init; }

    /// <summary>Context length of the original training.</summary>
    public int OriginalContext { get; init; }

    /// <summary>YaRN: rotations above which a frequency is kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: rotations below which a frequency is divided.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: share of the kept frequencies that is mixed in.</summary>
    public double Extrapolation { get; init; } = 1;

    /// <summary>llama-3: wavelengths above the original context over this are divided.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>llama-3: wavelengths below the original context over this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;
}
