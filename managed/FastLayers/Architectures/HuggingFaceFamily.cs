namespace FastLayers.Architectures;

/// <summary>Which layers a <c>sliding_window</c> in <c>config.json</c> is for, where <c>layer_types</c> does not say.</summary>
internal enum WindowUse
{
    /// <summary>None: the key is not read.</summary>
    None,

    /// <summary>All of them.</summary>
    All,

    /// <summary>Those from <c>max_window_layers</c> on, if <c>use_sliding_window</c> is true.</summary>
    FromLayer,

    /// <summary>All but each <c>sliding_window_pattern</c>-th.</summary>
    Pattern,
}

/// <summary>A key that would change the numbers in a way that the forward pass does not have.</summary>
/// <param name="Key">The key.</param>
/// <param name="Neutral">The value that changes nothing, or null if none but absence does.</param>
internal sealed record RefusedKey(string Key, object? Neutral);

/// <summary>
/// What the <c>config.json</c> of one <c>model_type</c> means: a row of a table. A key that neither this row nor <see cref="HuggingFaceConfig"/>
/// knows does not change the numbers of that type's models (dropout, token ids, initialization, versions), or is metadata yet to be invented.
/// </summary>
internal sealed record HuggingFaceFamily(string ModelType, string Architecture)
{
    public WindowUse Window { get; init; }

    /// <summary>Values of keys that a file may leave out, where they are not those that GGUF files may leave out.</summary>
    public IReadOnlyList<(string Key, object Value)> Defaults { get; init; } = [];

    /// <summary>Keys without which the numbers are in doubt, since null means another value than absence.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    public IReadOnlyList<RefusedKey> Refused { get; init; } = [];

    /// <summary>Keys that say whether linear maps have a bias, with those maps.</summary>
    public IReadOnlyList<(string Key, string[] Maps)> Biases { get; init; } = [];

    /// <summary>Refused whatever the type.</summary>
    public static IReadOnlyList<RefusedKey> RefusedByAll { get; } =
    [
        new("is_causal", true), new("use_bidirectional_attention", false), new("is_encoder_decoder", false), new("add_cross_attention", false),
        new("pruned_heads", null),
    ];

    /// <summary>Keys of checkpoints whose weights are stored in some packed form.</summary>
    public static IReadOnlyList<string> PackedWeights { get; } = ["quantization_config", "compression_config", "quantization"];

    private static readonly (string Key, string[] Maps) s_attentionBias = ("attention_bias", ["attn_q", "attn_k", "attn_v", "attn_output"]);

    private static readonly (string Key, object Value) s_epsilon = ("rms_norm_eps", 1e-6);

    /// <summary>Every type that can be run.</summary>
    public static IReadOnlyDictionary<string, HuggingFaceFamily> All { get; } = new[]
    {
        new HuggingFaceFamily("llama", "llama") { Defaults = [s_epsilon], Biases = [s_attentionBias, ("mlp_bias", ["ffn_gate", "ffn_up", "ffn_down"])] },
        new HuggingFaceFamily("mistral", "llama") { Window = WindowUse.All, Defaults = [s_epsilon] },
        new HuggingFaceFamily("qwen2", "qwen2") { Window = WindowUse.FromLayer, Defaults = [s_epsilon, ("max_window_layers", 28L)] },
        new HuggingFaceFamily("qwen3", "qwen3")
        {
            Window = WindowUse.FromLayer, Defaults = [s_epsilon, ("head_dim", 128L), ("max_window_layers", 28L)], Biases = [s_attentionBias],
        },
        new HuggingFaceFamily("qwen3_moe", "qwen3moe")
        {
            Defaults = [s_epsilon, ("norm_topk_prob", false)],
            Refused = [new("use_sliding_window", false), new("decoder_sparse_step", 1L), new("mlp_only_layers", Array.Empty<string>())],
            Biases = [s_attentionBias],
        },
        new HuggingFaceFamily("gemma2", "gemma2")
        {
            Window = WindowUse.Pattern, Defaults = [s_epsilon, ("head_dim", 256L), ("query_pre_attn_scalar", 256L), ("sliding_window", 4096L)],
            Required = ["attn_logit_softcapping", "final_logit_softcapping"], Biases = [s_attentionBias],
        },
        new HuggingFaceFamily("gemma3_text", "gemma3")
        {
            Window = WindowUse.Pattern,
            Defaults = [s_epsilon, ("head_dim", 256L), ("query_pre_attn_scalar", 256L), ("sliding_window", 4096L), ("rope_theta", 1e6)],
            Biases = [s_attentionBias],
        },
        new HuggingFaceFamily("phi3", "phi3") { Window = WindowUse.All, Defaults = [("original_max_position_embeddings", 4096L)] },
        new HuggingFaceFamily("olmo2", "olmo2") { Refused = [new("clip_qkv", null)], Biases = [s_attentionBias] },
        new HuggingFaceFamily("gpt2", "gpt2") { Refused = [new("scale_attn_by_inverse_layer_idx", false)] },
        new HuggingFaceFamily("bert", "bert") { Defaults = [("layer_norm_eps", 1e-12)], Refused = [new("position_embedding_type", "absolute"), new("is_decoder", false)] },
    }.ToDictionary(f => f.ModelType, StringComparer.Ordinal);
}
