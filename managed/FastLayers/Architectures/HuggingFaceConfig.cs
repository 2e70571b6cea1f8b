using FastLayers.Kernels.Activation;
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

    /// <summary>What <c>config.json</c> calls each activation.</summary>
    private static readonly Dictionary<ActivationKind, string[]> s_activations = new()
    {
        [ActivationKind.Silu] = ["silu", "swish"],
        [ActivationKind.GeluErf] = ["gelu"],
        [ActivationKind.GeluTanh] = ["gelu_pytorch_tanh", "gelu_new", "gelu_fast"],
        [ActivationKind.Relu] = ["relu"],
    };

    /// <summary>
    /// Where configurations keep the rotary parameters: in an object, or in an object for each kind of layer; some of them among the other keys.
    /// The first that has a key wins.
    /// </summary>
    private static readonly string[] s_rotaryPlaces = ["rope_parameters.full_attention.", "rope_parameters.", "rope_scaling."];

    /// <summary>Rotary parameters that may stand among the other keys.</summary>
    private static readonly string[] s_rotaryKeysOutside = ["rope_theta", "original_max_position_embeddings", "partial_rotary_factor"];

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
        ("rope_local_base_freq", "rope.freq_base_swa"), ("rope_parameters.sliding_attention.rope_theta", "rope.freq_base_swa"),
        ("sliding_window", "attention.sliding_window"),
        ("attn_logit_softcapping", "attn_logit_softcapping"), ("final_logit_softcapping", "final_logit_softcapping"),
        ("norm_topk_prob", "expert_weights_norm"),
    ];

    /// <summary>As <see cref="s_keys"/>, in each of <see cref="s_rotaryPlaces"/>.</summary>
    private static readonly (string Source, string Target)[] s_rotaryKeys =
    [
        ("rope_theta", "rope.freq_base"),
        ("factor", "rope.scaling.factor"),
        ("original_max_position_embeddings", "rope.scaling.original_context_length"),
        ("low_freq_factor", "rope.scaling.low_freq_factor"), ("high_freq_factor", "rope.scaling.high_freq_factor"),
        ("beta_fast", "rope.scaling.yarn_beta_fast"), ("beta_slow", "rope.scaling.yarn_beta_slow"),
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

        foreach (var (source, target) in s_rotaryKeys)
        {
            if (RotaryKey(metadata, source) is { } key) values[$"{architecture}.{target}"] = metadata.Values[key];
        }

        if (metadata.GetString(Prefix + "_name_or_path") is { Length: > 0 } name) values["general.name"] = name;
        if ((RotaryKey(metadata, "rope_type") ?? RotaryKey(metadata, "type")) is { } typeKey && metadata.GetString(typeKey) is { } scaling)
            values[$"{architecture}.rope.scaling.type"] = scaling switch { "default" => "none", "su" => "longrope", _ => scaling };
        CheckActivation(metadata, Architecture.All[architecture]);
        Defaults(metadata, architecture, values);
        return new ModelMetadata(metadata.Source, values);
    }

    /// <summary>Numbers of the rotary parameters, or null if they are not there.</summary>
    /// <exception cref="InvalidDataException">They are no numbers, or not as many as expected.</exception>
    public static float[]? RotaryValues(ModelMetadata metadata, string name, int count)
    {
        if (RotaryKey(metadata, name) is not { } key || metadata.GetNumbers(key) is not { } numbers) return null;
        return numbers.Length == count
            ? Array.ConvertAll(numbers, number => (float)number)
            : throw new InvalidDataException($"{metadata.Source}: '{key[Prefix.Length..]}' should have {count} values, found {numbers.Length}.");
    }

    /// <summary>Whether the configuration says that the output matrix is not the token embedding.</summary>
    public static bool HasOwnOutput(ModelMetadata metadata) => metadata.GetFlag(Prefix + "tie_word_embeddings") == false;

    /// <summary>What <c>config.json</c> calls a key of GGUF metadata, for messages; the key itself if it has no name there.</summary>
    public static string SourceOf(string target)
    {
        var names = s_keys.Concat(s_rotaryKeys).Where(key => key.Target == target).Select(key => key.Source).ToArray();
        return names.Length > 0 ? string.Join("' or '", names) : target;
    }

    /// <summary>The key under which a rotary parameter is found, or null.</summary>
    private static string? RotaryKey(ModelMetadata metadata, string name) =>
        s_rotaryPlaces.Select(place => Prefix + place + name).FirstOrDefault(metadata.Contains)
        ?? (s_rotaryKeysOutside.Contains(name) && metadata.Contains(Prefix + name) ? Prefix + name : null);

    /// <summary>Refuses a model that was trained with another activation than its architecture's.</summary>
    private static void CheckActivation(ModelMetadata metadata, Architecture architecture)
    {
        // The first two are one setting in gemma's files; where both are there, the first counts.
        if (((string[])["hidden_activation", "hidden_act", "activation_function"]).FirstOrDefault(n => metadata.Contains(Prefix + n)) is not { } name) return;
        string found = metadata.GetString(Prefix + name)!;
        string[] expected = s_activations[architecture.Activation];
        if (!expected.Contains(found, StringComparer.Ordinal))
            throw new InvalidDataException($"{metadata.Source}: '{name}' should be {string.Join(" or ", expected)} for {architecture.Name}, found '{found}'.");
    }

    private static void Defaults(ModelMetadata metadata, string architecture, Dictionary<string, object> values)
    {
        // GPT-2 leaves the width of the hidden layer out: it is four times the model's.
        if (architecture == "gpt2" && !values.ContainsKey("gpt2.feed_forward_length") && metadata.GetInteger(Prefix + "n_embd") is { } width)
            values["gpt2.feed_forward_length"] = 4 * width;
        if (RotaryKey(metadata, "partial_rotary_factor") is { } shareKey && metadata.GetNumber(shareKey) is { } share && metadata.GetInteger(Prefix + "hidden_size") is { } hidden
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
        double original = RotaryKey(metadata, "original_max_position_embeddings") is { } key ? metadata.GetNumber(key)!.Value : longest;
        return original > 1 && longest > original ? Math.Sqrt(1 + (Math.Log(longest / original) / Math.Log(original))) : 1;
    }
}
