using FastLayers.Kernels.Pooling;
using FastLayers.Loading;

namespace FastLayers.Architectures;

/// <summary>Reads a <see cref="TransformerConfig"/> from the metadata of a GGUF file (or from metadata translated to its keys).</summary>
internal sealed class ConfigReader(ModelMetadata metadata, Architecture architecture)
{
    /// <summary>Upper bounds of plausible models; more is a damaged file and would only fail later, with less to say.</summary>
    private const int MaximumSize = 1 << 24;

    internal const int MaximumLayers = 4096;

    /// <summary>Key that translated metadata carries to say that rotary pairs are halves, whatever the architecture's GGUF files do.</summary>
    internal const string RotaryHalvesKey = "fastlayers.rope.halves";

    internal const string WindowPatternKey = "attention.sliding_window_pattern";

    private bool IsTranslated => metadata.Contains(RotaryHalvesKey);

    public TransformerConfig Read(int vocabularySize)
    {
        int width = Size("embedding_length");
        int layers = Size("block_count", MaximumLayers);
        int heads = Size("attention.head_count");
        int kvHeads = Size("attention.head_count_kv", fallback: heads);
        if (heads % kvHeads != 0) throw Bad("attention.head_count_kv", $"a divisor of the {heads} query heads", kvHeads);
        if (!metadata.Contains(Key("attention.key_length")) && width % heads != 0) throw Bad("attention.head_count", $"a divisor of the width {width}", heads);
        int keySize = Size("attention.key_length", fallback: width / heads);
        int valueSize = Size("attention.value_length", fallback: keySize);
        int experts = Size("expert_count", fallback: 0, minimum: 0);
        int used = Size("expert_used_count", fallback: experts > 0 ? 1 : 0, minimum: 0);
        if (used > experts || (experts > 0 && used == 0)) throw Bad("expert_used_count", $"1 to {experts}", used);
        int window = architecture.IgnoresWindow && !IsTranslated ? 0 : Size("attention.sliding_window", fallback: architecture.DefaultWindow, minimum: 0);
        var windowedLayers = metadata.Values.GetValueOrDefault(Key(WindowPatternKey)) as bool[];
        if (windowedLayers is not null && windowedLayers.Length != layers) throw Bad(WindowPatternKey, $"one value a layer, {layers}", windowedLayers.Length);
        bool causal = metadata.GetFlag(Key("attention.causal"), architecture.Causal)!.Value;
        var rotary = architecture.Rotary ? Rotary(keySize) : null;

        string epsilonKey = architecture.Norm == NormKind.Rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
        float epsilon = NotNegative(epsilonKey, 1e-5f);

        return new TransformerConfig
        {
            Architecture = architecture.Name,
            Name = metadata.GetString("general.name"),
            VocabularySize = vocabularySize,
            Width = width,
            LayerCount = layers,
            ContextLength = Size("context_length"),
            EmbeddingScale = architecture.ScalesEmbeddings ? MathF.Sqrt(width) : 1,
            LogitSoftCap = NotNegative("final_logit_softcapping", architecture.LogitSoftCap),
            Norm = new NormConfig(architecture.Norm, epsilon),
            Attention = new AttentionConfig
            {
                Heads = heads,
                KvHeads = kvHeads,
                KeySize = keySize,
                ValueSize = valueSize,
                Scale = NotNegative("attention.scale", layers == architecture.LayerCountScaledByWidth ? 1f / MathF.Sqrt(width / heads) : 0),
                SoftCap = NotNegative("attn_logit_softcapping", architecture.AttentionSoftCap),
                Causal = causal,
                Window = window,
                WindowPattern = windowedLayers is null ? Size(WindowPatternKey, fallback: architecture.WindowPattern, minimum: 0) : architecture.WindowPattern,
                WindowedLayers = windowedLayers,
            },
            FeedForward = new FeedForwardConfig
            {
                Activation = architecture.Activation,
                Width = Size(experts > 0 && metadata.Contains(Key("expert_feed_forward_length")) ? "expert_feed_forward_length" : "feed_forward_length"),
                Experts = experts,
                ExpertsUsed = used,
                RenormalizeExperts = architecture.RenormalizesExperts && metadata.GetFlag(Key("expert_weights_norm"), true)!.Value,
            },
            Rotary = rotary,
            LocalRotary = rotary is not null && architecture.LocalRotaryBase is { } localBase && window > 0
                ? new RotaryConfig { Base = Real("rope.freq_base_swa", (float)localBase), Dimensions = rotary.Dimensions, Halves = rotary.Halves }
                : null,
            Pooling = Size("pooling_type", fallback: 1, minimum: 0) switch
            {
                0 or 1 => PoolingKind.Mean,
                2 => PoolingKind.First,
                3 => PoolingKind.Last,
                var kind => throw Bad("pooling_type", "0 to 3", kind),
            },
        };
    }

    private RotaryConfig Rotary(int keySize)
    {
        int dimensions = Size("rope.dimension_count", fallback: keySize);
        if (dimensions > keySize || dimensions % 2 != 0) throw Bad("rope.dimension_count", $"an even number up to the head size {keySize}", dimensions);
        return new RotaryConfig
        {
            Base = Real("rope.freq_base", 10000),
            Dimensions = dimensions,
            Halves = metadata.GetFlag(RotaryHalvesKey, architecture.RotaryHalves)!.Value,
            Scaling = Scaling(),
            Magnitude = Real("rope.scaling.attn_factor", 1),
            OriginalContext = Size("rope.scaling.original_context_length", fallback: Size("context_length")),
        };
    }

    private RotaryScaling? Scaling()
    {
        // Files older than the scaling keys state a linear factor alone.
        float factor = Real("rope.scaling.factor", Real("rope.scale_linear", 0));
        string kind = metadata.GetString(Key("rope.scaling.type")) ?? (factor != 0 ? "linear" : "none");
        if (kind is "none" or "longrope") return null;
        if (factor == 0) factor = 1;
        if (!(factor > 0) || !float.IsFinite(factor)) throw Bad("rope.scaling.factor", "a positive number", factor);
        int original = Size("rope.scaling.original_context_length", fallback: Size("context_length"));
        return kind switch
        {
            "linear" => new RotaryScaling { Kind = RotaryScaling.ScalingKind.Linear, Factor = factor, OriginalContext = original },
            "yarn" => new RotaryScaling
            {
                Kind = RotaryScaling.ScalingKind.Yarn,
                Factor = factor,
                OriginalContext = original,
                BetaFast = Real("rope.scaling.yarn_beta_fast", 32),
                BetaSlow = Real("rope.scaling.yarn_beta_slow", 1),
                Extrapolation = Real("rope.scaling.yarn_ext_factor", 1),
            },
            "llama3" => new RotaryScaling
            {
                Kind = RotaryScaling.ScalingKind.Llama3,
                Factor = factor,
                OriginalContext = original,
                LowFrequencyFactor = Real("rope.scaling.low_freq_factor", 1),
                HighFrequencyFactor = Real("rope.scaling.high_freq_factor", 4),
            },
            _ => throw Bad("rope.scaling.type", "none, linear, yarn, llama3 or longrope", kind),
        };
    }

    /// <summary>The key as the user's file writes it.</summary>
    private string KeyInFile(string name) =>
        IsTranslated && !metadata.Contains(Key(name)) ? HuggingFaceConfig.SourceOf(name) : metadata.NameInFile(Key(name));

    private string Key(string name) => $"{architecture.Name}.{name}";

    private int Size(string name, int maximum = MaximumSize, int? fallback = null, int minimum = 1)
    {
        long value = metadata.GetInteger(Key(name)) ?? fallback ?? throw new InvalidDataException($"{metadata.Source}: metadata '{KeyInFile(name)}' is missing.");
        return value >= minimum && value <= maximum ? (int)value : throw Bad(name, $"{minimum} to {maximum}", value);
    }

    private float Real(string name, float fallback)
    {
        float value = (float)(metadata.GetNumber(Key(name)) ?? fallback);
        return float.IsFinite(value) ? value : throw Bad(name, "a finite number", value);
    }

    private float NotNegative(string name, float fallback)
    {
        float value = Real(name, fallback);
        return value >= 0 ? value : throw Bad(name, "at least 0", value);
    }

    private InvalidDataException Bad(string name, string expected, object found) =>
        new($"{metadata.Source}: metadata '{KeyInFile(name)}' should be {expected}, found {found}.");
}
