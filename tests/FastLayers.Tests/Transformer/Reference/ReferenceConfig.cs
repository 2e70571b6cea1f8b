using FastLayers.Loading;

namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The numbers of a model, read from GGUF metadata without the product's own interpretation of it.</summary>
internal sealed class ReferenceConfig
{
    private readonly ModelMetadata _metadata;

    public ReferenceConfig(ModelMetadata metadata)
    {
        _metadata = metadata;
        Architecture = metadata.GetString("general.architecture") ?? throw new InvalidDataException("no architecture");
        Layers = Count("block_count");
        Width = Count("embedding_length");
        Heads = Count("attention.head_count");
        KeyValueHeads = Count("attention.head_count_kv", Heads);
        HeadSize = Count("attention.key_length", Width / Heads);
        RotaryDimensions = Count("rope.dimension_count", HeadSize);
        Context = Count("context_length");
        UsesLayerNorm = Architecture is "gpt2" or "bert";
        Epsilon = Number(UsesLayerNorm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon");
        Causal = metadata.GetFlag($"{Architecture}.attention.causal", true)!.Value;
        Window = Architecture == "gemma2" ? Count("attention.sliding_window", 4096) : Architecture == "gemma3" ? Count("attention.sliding_window", 0) : 0;
        AttentionCap = Architecture == "gemma2" ? Number("attn_logit_softcapping", 50) : 0;
        LogitCap = Architecture == "gemma2" ? Number("final_logit_softcapping", 30) : Architecture == "gemma3" ? Number("final_logit_softcapping", 0) : 0;
        ExpertsUsed = Count("expert_used_count", 0);

        // The 27B models of both generations scale by width / heads, which is not their head size.
        var scalesByWidth = (Architecture == "gemma2" && Layers == 46) || (Architecture == "gemma3" && Layers == 62);
        AttentionScale = 1 / Math.Sqrt(scalesByWidth ? (double)Width / Heads : HeadSize);
    }

    public string Architecture { get; }
    public int Layers { get; }
    public int Width { get; }
    public int Heads { get; }
    public int KeyValueHeads { get; }
    public int HeadSize { get; }
    public int RotaryDimensions { get; }
    public int Context { get; }
    public bool UsesLayerNorm { get; }
    public double Epsilon { get; }
    public bool Causal { get; }
    public int Window { get; }
    public double AttentionCap { get; }
    public double LogitCap { get; }
    public int ExpertsUsed { get; }
    public double AttentionScale { get; }

    public bool IsGemma => Architecture is "gemma2" or "gemma3";

    /// <summary>Whether a layer sees only the last <see cref="Window"/> positions: every other one in Gemma 2, five of six in Gemma 3.</summary>
    public bool IsLocal(int layer) => Window > 0 && (Architecture == "gemma2" ? layer % 2 == 0 : layer % 6 != 5);

    public int Count(string key, int? fallback = null) => (int)(_metadata.GetInteger($"{Architecture}.{key}", fallback) ?? throw new InvalidDataException(key));

    public double Number(string key, double? fallback = null) => _metadata.GetNumber($"{Architecture}.{key}", fallback) ?? throw new InvalidDataException(key);

    public string? Text(string key) => _metadata.GetString($"{Architecture}.{key}");
}
