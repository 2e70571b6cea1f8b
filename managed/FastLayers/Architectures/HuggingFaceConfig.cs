using FastLayers.Loading;

namespace FastLayers.Architectures;

/// <summary>Translates a Hugging Face <c>config.json</c> to the keys of GGUF metadata, so that one reader serves both.</summary>
internal static class HuggingFaceConfig
{
    private const string Prefix = "config.";

    /// <summary>Architectures by <c>model_type</c>.</summary>
    private static readonly Dictionary<string, string> s_architectures = new(StringComparer.Ordinal)
    {
        ["llama"] = "llama",
        ["mistral"] = "llama",
        ["qwen2"] = "qwen2",
        ["qwen3"] = "qwen3",
        ["qwen3_moe"] = "qwen3moe",
        ["gemma2"] = "gemma2",
        ["gemma3_text"] = "gemma3",
        ["phi3"] = "phi3",
        ["gpt2"] = "gpt2",
        ["olmo2"] = "olmo2",
        ["bert"] = "bert",
    };

    /// <summary>Integer and real keys: config.json name, GGUF name. The first that is there wins.</summary>
    private static readonly (string Source, string Target)[] s_keys =
    [
        ("hidden_size", "embedding_length"), ("n_embd", "embedding_length"),
        ("num_hidden_layers", "block_count"), ("n_layer", "block_count"),
        ("num_attention_heads", "attention.head_count"), ("n_head", "attention.head_count"),
        ("num_key_value_heads", "attention.head_count_kv"),
        ("head_dim", "attention.key_length"),
        ("max_position_embeddings", "context_length"), ("n_positions", "context_length"),
        ("intermediate_size", "feed_forward_length"), ("n_inner", "feed_forward_length"),
        ("moe_intermediate_size", "expert_feed_forward_length"),
        ("num_experts", "expert_count"), ("num_experts_per_tok", "expert_used_count"),
        ("rms_norm_eps", "attention.layer_norm_rms_epsilon"),
        ("layer_norm_epsilon", "attention.layer_norm_epsilon"), ("layer_norm_eps", "attention.layer_norm_epsilon"),
        ("rope_theta", "rope.freq_base"), ("rope_local_base_freq", "rope.freq_base_swa"),
        ("sliding_window", "attention.sliding_window"),
        ("attn_logit_softcapping", "attn_logit_softcapping"), ("final_logit_softcapping", "final_logit_softcapping"),
        ("norm_topk_prob", "expert_weights_norm"),
        ("rope_scaling.factor", "rope.scaling.factor"),
        ("rope_scaling.original_max_position_embeddings", "rope.scaling.original_context_length"),
        ("original_max_position_embeddings", "rope.scaling.original_context_length"),
        ("rope_scaling.low_freq_factor", "rope.scaling.low_freq_factor"), ("rope_scaling.high_freq_factor", "rope.scaling.high_freq_factor"),
        ("rope_scaling.beta_fast", "rope.scaling.yarn_beta_fast"), ("rope_scaling.beta_slow", "rope.scaling.yarn_beta_slow"),
    ];

    /// <summary>Whether the metadata comes from a <c>config.json</c>.</summary>
    public static bool IsPresent(ModelMetadata metadata) => metadata.Contains(Prefix + "model_type");

    /// <summary>The metadata with GGUF keys.</summary>
    /// <exception cref="NotSupportedException">The model type is not known.</exception>
    /// <exception cref="InvalidDataException">A value has the wrong type.</exception>
    public static ModelMetadata Translate(ModelMetadata metadata)
    {
        string type = metadata.GetString(Prefix + "model_type")!;
        if (!s_architectures.TryGetValue(type, out var architecture))
            throw new NotSupportedException($"{metadata.Source}: model type '{type}' is not supported; supported are {string.Join(", ", s_architectures.Keys.Order(StringComparer.Ordinal))}.");

        var values = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["general.architecture"] = architecture,
            [ConfigReader.RotaryHalvesKey] = true,
        };
        foreach (var (source, target) in s_keys)
        {
            if (metadata.Values.TryGetValue(Prefix + source, out var value)) values.TryAdd($"{architecture}.{target}", value);
        }

        if (metadata.GetString(Prefix + "_name_or_path") is { Length: > 0 } name) values["general.name"] = name;
        if ((metadata.GetString(Prefix + "rope_scaling.rope_type") ?? metadata.GetString(Prefix + "rope_scaling.type")) is { } scaling)
            values[$"{architecture}.rope.scaling.type"] = scaling switch { "default" => "none", "su" => "longrope", _ => scaling };
        Defaults(metadata, architecture, values);
        return new ModelMetadata(metadata.Source, values);
    }

    /// <summary>An array of reals of the configuration, or null if it is not there.</summary>
    /// <exception cref="InvalidDataException">It has another length.</exception>
    public static float[]? Values(ModelMetadata metadata, string key, int count)
    {
        if (key.Length == 0 || !metadata.Values.TryGetValue(Prefix + key, out var value) || value is not Array array) return null;
        if (array.Length != count) throw new InvalidDataException($"{metadata.Source}: '{key}' should have {count} values, found {array.Length}.");
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = Convert.ToSingle(array.GetValue(i), System.Globalization.CultureInfo.InvariantCulture);
        return values;
    }

    private static void Defaults(ModelMetadata metadata, string architecture, Dictionary<string, object> values)
    {
        // GPT-2 leaves the width of the hidden layer out: it is four times the model's.
        if (architecture == "gpt2" && !values.ContainsKey("gpt2.feed_forward_length") && metadata.GetInteger(Prefix + "n_embd") is { } width)
            values["gpt2.feed_forward_length"] = 4 * width;
        if (metadata.GetNumber(Prefix + "partial_rotary_factor") is { } share && metadata.GetInteger(Prefix + "hidden_size") is { } hidden
            && metadata.GetInteger(Prefix + "num_attention_heads") is { } heads and > 0)
        {
            long head = metadata.GetInteger(Prefix + "head_dim") ?? (hidden / heads);
            values[$"{architecture}.rope.dimension_count"] = (long)(head * share);
        }

        // Qwen files state a window that is only in force when a flag says so.
        if (metadata.GetFlag(Prefix + "use_sliding_window") == false) values.Remove($"{architecture}.attention.sliding_window");
        if (values.GetValueOrDefault($"{architecture}.rope.scaling.type") is "longrope")
            values[$"{architecture}.rope.scaling.attn_factor"] = LongRopeMagnitude(metadata);
    }

    /// <summary>√(1 + ln(s) / ln(original)) with s the growth of the context (LongRoPE, arXiv:2402.13753).</summary>
    private static double LongRopeMagnitude(ModelMetadata metadata)
    {
        double longest = metadata.GetNumber(Prefix + "max_position_embeddings", 0)!.Value;
        double original = metadata.GetNumber(Prefix + "original_max_position_embeddings", longest)!.Value;
        return original > 1 && longest > original ? Math.Sqrt(1 + (Math.Log(longest / original) / Math.Log(original))) : 1;
    }
}
