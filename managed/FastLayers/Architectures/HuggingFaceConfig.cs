using System.Globalization;
using FastLayers.Kernels.Activation;
using FastLayers.Loading;

namespace FastLayers.Architectures;

/// <summary>
/// A Hugging Face <c>config.json</c>, translated to the keys of GGUF metadata so that one reader serves both. What would change the numbers and
/// cannot be run is refused by its key.
/// </summary>
internal sealed class HuggingFaceConfig
{
    private const string Prefix = "config.";

    /// <summary>What <c>config.json</c> calls each activation.</summary>
    private static readonly Dictionary<ActivationKind, string[]> s_activations = new()
    {
        [ActivationKind.Silu] = ["silu", "swish"],
        [ActivationKind.GeluErf] = ["gelu"],
        [ActivationKind.GeluTanh] = ["gelu_pytorch_tanh", "gelu_new", "gelu_fast"],
        [ActivationKind.Relu] = ["relu"],
    };

    /// <summary>Integer, real and boolean keys: config.json name, GGUF name. The first that is there wins.</summary>
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
        ("rope_parameters.sliding_attention.rope_theta", "rope.freq_base_swa"), ("rope_local_base_freq", "rope.freq_base_swa"),
        ("attn_logit_softcapping", "attn_logit_softcapping"), ("final_logit_softcapping", "final_logit_softcapping"),
        ("norm_topk_prob", "expert_weights_norm"),
    ];

    /// <summary>Keys that <see cref="Translate"/> reads one by one.</summary>
    private static readonly string[] s_otherKeys =
    [
        "sliding_window", "sliding_window_pattern", "_sliding_window_pattern", "use_sliding_window", "max_window_layers", "layer_types",
        "query_pre_attn_scalar", "scale_attn_weights", "tie_word_embeddings", "hidden_activation", "hidden_act", "activation_function",
    ];

    private readonly ModelMetadata _config;
    private readonly HuggingFaceFamily _family;
    private readonly HuggingFaceRotary _rotary;
    private readonly HashSet<string> _objects;
    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    private HuggingFaceConfig(ModelMetadata config)
    {
        _config = config;
        string type = config.GetString("model_type")!;
        if (!HuggingFaceFamily.All.TryGetValue(type, out _family!))
            throw new NotSupportedException($"{config.Source}: model type '{type}' is not supported; supported are {string.Join(", ", HuggingFaceFamily.All.Keys.Order(StringComparer.Ordinal))}.");
        _rotary = new HuggingFaceRotary(config);
        _objects = [.. config.Values.Keys.SelectMany(Holders)];
    }

    /// <summary>The configuration in the metadata of a file, or null if there is none.</summary>
    /// <exception cref="NotSupportedException">The model type is not known.</exception>
    public static HuggingFaceConfig? Of(ModelMetadata metadata)
    {
        if (!metadata.Contains(Prefix + "model_type")) return null;
        var keys = metadata.Values.Where(pair => pair.Key.StartsWith(Prefix, StringComparison.Ordinal));
        return new HuggingFaceConfig(new ModelMetadata(metadata.Source, keys.ToDictionary(pair => pair.Key[Prefix.Length..], pair => pair.Value, StringComparer.Ordinal)));
    }

    /// <summary>The metadata with GGUF keys.</summary>
    /// <exception cref="NotSupportedException">A value asks for what cannot be run.</exception>
    /// <exception cref="InvalidDataException">A value makes no sense.</exception>
    public ModelMetadata Translate()
    {
        CheckForms();
        CheckActivation();
        CheckRefused();
        _values["general.architecture"] = _family.Architecture;
        _values[ConfigReader.RotaryHalvesKey] = true;
        if (_config.GetString("_name_or_path") is { Length: > 0 } name) _values["general.name"] = name;
        foreach (var (source, target) in s_keys)
        {
            if (_config.Values.TryGetValue(source, out var value) && !_values.ContainsKey(Key(target))) Set(target, value, source);
        }

        foreach (var (key, value) in _family.Defaults)
        {
            string? target = s_keys.Concat(HuggingFaceRotary.Keys).FirstOrDefault(pair => pair.Source == key).Target;
            if (target is not null && !_values.ContainsKey(Key(target))) Set(target, value, key);
        }

        // GPT-2 leaves the width of the hidden layer out: it is four times the model's.
        if (_family.Architecture == "gpt2" && !_values.ContainsKey(Key("feed_forward_length")) && Integer("n_embd") is { } width) Set("feed_forward_length", 4 * width, "n_embd");
        Scale();
        Window();
        if (Architecture.All[_family.Architecture].Rotary)
            _rotary.Translate(Set, HeadSize(), _family.Defaults.FirstOrDefault(pair => pair.Key == "original_max_position_embeddings").Value as long?);
        return new ModelMetadata(_config.Source, _values, _names);
    }

    /// <summary>Divisors of the rotary frequencies, or null if there are none.</summary>
    /// <exception cref="InvalidDataException">They are no numbers, or not as many as expected.</exception>
    public float[]? RotaryDivisors(string name, int count) => _rotary.Divisors(name, count);

    /// <summary>Refuses a file that lacks tensors which the configuration announces, or has some that it denies.</summary>
    /// <exception cref="InvalidDataException">There is one; the message names key and tensor.</exception>
    public void CheckTensors(WeightReader reader, int layers)
    {
        if (_config.GetFlag("tie_word_embeddings") == false && Architecture.All[_family.Architecture].Causal) reader.Shape("output.weight");
        var names = new HuggingFaceNames(_family.Architecture);
        foreach (var (key, maps) in _family.Biases)
        {
            if (_config.GetFlag(key) is not { } stated) continue;
            foreach (string tensor in Enumerable.Range(0, layers).SelectMany(layer => maps.Select(map => $"blk.{layer}.{map}.bias")))
            {
                if (names.Candidates(tensor).FirstOrDefault() is not { } name || reader.Has(tensor) == stated) continue;
                throw new InvalidDataException($"{_config.Source}: '{key}' is {(stated ? "true" : "false")}, but tensor '{name}' is {(stated ? "missing" : "there")}.");
            }
        }
    }

    /// <summary>What <c>config.json</c> calls a key of GGUF metadata, for messages; the key itself if it has no name there.</summary>
    public static string SourceOf(string target)
    {
        var names = s_keys.Concat(HuggingFaceRotary.Keys).Where(key => key.Target == target).Select(key => key.Source).ToArray();
        return names.Length > 0 ? string.Join("' or '", names) : target;
    }

    private string Key(string target) => $"{_family.Architecture}.{target}";

    private void Set(string target, object value, string source)
    {
        _values[Key(target)] = value;
        _names[Key(target)] = source;
    }

    private long? Integer(string key) => _config.GetInteger(key) ?? Default(key) as long?;

    private object? Default(string key) => _family.Defaults.FirstOrDefault(pair => pair.Key == key).Value;

    private long? HeadSize() =>
        Integer("head_dim") ?? (Integer("hidden_size") is { } width && Integer("num_attention_heads") is { } heads and > 0 ? width / heads : null);

    /// <summary>Refuses objects in the place of values and values in the place of objects, which would pass for absent keys.</summary>
    private void CheckForms()
    {
        var refused = HuggingFaceFamily.RefusedByAll.Concat(_family.Refused).Where(key => key.Neutral is not null).Select(key => key.Key);
        foreach (string key in s_keys.Select(key => key.Source).Concat(s_otherKeys).Concat(HuggingFaceRotary.ValueKeys).Concat(_family.Biases.Select(bias => bias.Key)).Concat(refused))
        {
            if (_objects.Contains(key)) throw Bad(key, "one value or a list of one kind", "an object or a mixed list");
        }

        foreach (string key in HuggingFaceRotary.Objects)
        {
            if (_config.Values.TryGetValue(key, out var value)) throw Bad(key, "an object", Describe(value));
        }
    }

    private void CheckRefused()
    {
        foreach (string key in HuggingFaceFamily.PackedWeights)
        {
            if (!Has(key)) continue;
            string method = _config.Values.GetValueOrDefault(key + ".quant_method") is string name ? $" ('{name}')" : "";
            throw new NotSupportedException($"{_config.Source}: '{key}'{method} is not supported: weights of safetensors files are read as F32, F16 or BF16; quantized models are read as GGUF.");
        }

        foreach (var (key, neutral) in HuggingFaceFamily.RefusedByAll.Concat(_family.Refused))
        {
            if (!Has(key)) continue;
            var value = _config.Values.GetValueOrDefault(key);
            if (neutral is not null && value is not null && Describe(value) == Describe(neutral)) continue;
            if (key == "is_causal" && !Architecture.All[_family.Architecture].Causal) continue;
            string expected = neutral is null ? "null" : Describe(neutral);
            throw new NotSupportedException($"{_config.Source}: '{key}' should be {expected} for {_family.ModelType}, the only one that is supported, found {(value is null ? "an object" : Describe(value))}.");
        }

        foreach (string key in _family.Required)
        {
            if (!_config.Contains(key)) throw Bad(key, "a number", "none");
        }
    }

    private bool Has(string key) => _config.Contains(key) || _objects.Contains(key);

    /// <summary>Refuses a model that was trained with another activation than its architecture's.</summary>
    private void CheckActivation()
    {
        // The first two are one setting in gemma's files; where both are there, the first counts.
        if (((string[])["hidden_activation", "hidden_act", "activation_function"]).FirstOrDefault(_config.Contains) is not { } name) return;
        string found = _config.GetString(name)!;
        var architecture = Architecture.All[_family.Architecture];
        string[] expected = s_activations[architecture.Activation];
        if (!expected.Contains(found, StringComparer.Ordinal)) throw Bad(name, $"{string.Join(" or ", expected)} for {architecture.Name}", Describe(found));
    }

    /// <summary>Gemma scales scores by 1/√query_pre_attn_scalar; GPT-2 may leave the scale away.</summary>
    private void Scale()
    {
        const string ScalarKey = "query_pre_attn_scalar";
        if (Default(ScalarKey) is long fallback)
        {
            double size = _config.GetNumber(ScalarKey, fallback)!.Value;
            Set("attention.scale", size > 0 ? 1 / Math.Sqrt(size) : throw Bad(ScalarKey, "a positive number", Describe(size)), ScalarKey);
        }

        if (_family.Architecture == "gpt2" && _config.GetFlag("scale_attn_weights") == false) Set("attention.scale", 1.0, "scale_attn_weights");
    }

    /// <summary>The sliding window, and which layers have it.</summary>
    private void Window()
    {
        long? window = _family.Window == WindowUse.None || (_family.Window == WindowUse.FromLayer && _config.GetFlag("use_sliding_window") != true) ? null : Integer("sliding_window");
        long layers = Integer("num_hidden_layers") ?? 0;
        bool[]? windowed = LayerTypes(layers);
        if (window is null)
        {
            if (windowed?.Contains(true) == true) throw Bad("layer_types", $"full_attention alone where no sliding window is in force for {_family.ModelType}", "sliding_attention");
            return;
        }

        Set("attention.sliding_window", window, "sliding_window");
        if (windowed is not null) Set(ConfigReader.WindowPatternKey, windowed, "layer_types");
        else if (_family.Window == WindowUse.FromLayer && Integer("max_window_layers") is { } first)
            Set(ConfigReader.WindowPatternKey, Enumerable.Range(0, (int)Math.Clamp(layers, 0, ConfigReader.MaximumLayers)).Select(layer => layer >= first).ToArray(), "max_window_layers");
        else if (_family.Window == WindowUse.Pattern && ((string[])["sliding_window_pattern", "_sliding_window_pattern"]).FirstOrDefault(_config.Contains) is { } key)
            Set(ConfigReader.WindowPatternKey, Integer(key) is { } pattern and > 0 ? pattern : throw Bad(key, "at least 1", Describe(_config.Values[key])), key);
    }

    /// <summary>Whether each layer has the window, or null if <c>layer_types</c> is not there.</summary>
    private bool[]? LayerTypes(long layers)
    {
        if (!_config.Contains("layer_types")) return null;
        var types = _config.GetArray<string>("layer_types")!;
        if (types.Length != layers) throw Bad("layer_types", $"one kind a layer, {layers}", $"{types.Length}");
        return Array.ConvertAll(types, type => type switch
        {
            "full_attention" => false,
            "sliding_attention" => true,
            _ => throw Bad("layer_types", "full_attention or sliding_attention for each layer", Refusal.Quote(type)),
        });
    }

    /// <summary>The objects, and the lists of several kinds, that a flattened key lies in.</summary>
    private static IEnumerable<string> Holders(string key)
    {
        for (int dot = key.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = key.IndexOf('.', dot + 1)) yield return key[..dot];
    }

    private static string Describe(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        string text => Refusal.Quote(text),
        Array { Length: 0 } => "[]",
        Array array => $"a list of {array.Length}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private InvalidDataException Bad(string key, string expected, string found) => new($"{_config.Source}: '{key}' should be {expected}, found {found}.");
}
