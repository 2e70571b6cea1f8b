using FastLayers.Loading;

namespace FastLayers.Architectures;

/// <summary>The rotary parameters of a <c>config.json</c>.</summary>
/// <param name="config">The configuration, with the keys of the file.</param>
internal sealed class HuggingFaceRotary(ModelMetadata config)
{
    /// <summary>Integer and real parameters: config.json name, GGUF name.</summary>
    internal static readonly (string Source, string Target)[] Keys =
    [
        ("rope_theta", "rope.freq_base"),
        ("factor", "rope.scaling.factor"),
        ("original_max_position_embeddings", "rope.scaling.original_context_length"),
        ("low_freq_factor", "rope.scaling.low_freq_factor"), ("high_freq_factor", "rope.scaling.high_freq_factor"),
        ("beta_fast", "rope.scaling.yarn_beta_fast"), ("beta_slow", "rope.scaling.yarn_beta_slow"),
    ];

    /// <summary>Objects that keep rotary parameters.</summary>
    internal static readonly string[] Objects = ["rope_parameters", "rope_scaling"];

    /// <summary>Rotary parameters that may stand among the other keys.</summary>
    internal static readonly string[] KeysOutside = ["rope_theta", "original_max_position_embeddings", "partial_rotary_factor"];

    /// <summary>
    /// Where configurations keep the rotary parameters: in an object, or in an object for each kind of layer; some of them among the other keys.
    /// The first that has a key wins.
    /// </summary>
    private static readonly string[] s_places = ["rope_parameters.full_attention.", "rope_parameters.", "rope_scaling."];

    /// <summary>Every key that holds one value.</summary>
    internal static IEnumerable<string> ValueKeys { get; } =
    [
        .. KeysOutside,
        .. from place in (string[])[.. s_places, "rope_parameters.sliding_attention."]
           from name in (string[])[.. Keys.Select(key => key.Source), "rope_type", "type", "partial_rotary_factor", "attention_factor", "mscale", "mscale_all_dim", "truncate"]
           select place + name,
    ];

    /// <summary>The parameters that each kind of scaling cannot do without.</summary>
    private static readonly Dictionary<string, string[]> s_required = new(StringComparer.Ordinal)
    {
        ["linear"] = ["factor"],
        ["llama3"] = ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
        ["longrope"] = ["short_factor", "long_factor"],
    };

    /// <summary>Sets the GGUF keys.</summary>
    /// <param name="set">Takes a GGUF key, its value, and the key of the file.</param>
    /// <param name="headSize">Values a head, if known.</param>
    /// <param name="fallbackOriginal">The context of the original training where the file does not state it.</param>
    public void Translate(Action<string, object, string> set, long? headSize, long? fallbackOriginal)
    {
        foreach (var (source, target) in Keys)
        {
            if (KeyOf(source) is { } key) set(target, config.Values[key], key);
        }

        const string LocalType = "rope_parameters.sliding_attention.rope_type";
        if (config.GetString(LocalType, "default") is not "default" and var local) throw Bad(LocalType, "default", $"'{local}'");
        if (KeyOf("partial_rotary_factor") is { } shareKey && config.GetNumber(shareKey) is { } share)
        {
            if (!(share is > 0 and <= 1)) throw Bad(shareKey, "above 0, at most 1", share);
            if (headSize is { } size) set("rope.dimension_count", (long)(size * share), shareKey);
        }

        if (Kind(out string? typeKey) is not { } kind) return;
        set("rope.scaling.type", kind, typeKey!);
        foreach (string name in s_required.GetValueOrDefault(kind, []))
        {
            if (KeyOf(name) is null) throw Bad(name, $"there for rope type {kind}", "none");
        }

        if (kind == "yarn") Yarn(set);
        if (kind == "longrope") LongRope(set, fallbackOriginal);
    }

    /// <summary>Divisors of the frequencies for <see cref="RotaryConfig"/>, or null if the scaling has none.</summary>
    /// <exception cref="InvalidDataException">They are no numbers, or not as many as expected.</exception>
    public float[]? Divisors(string name, int count)
    {
        if (Kind(out _) != "longrope" || KeyOf(name) is not { } key || config.GetNumbers(key) is not { } numbers) return null;
        return numbers.Length == count
            ? Array.ConvertAll(numbers, number => (float)number)
            : throw new InvalidDataException($"{config.Source}: '{key}' should have {count} values, found {numbers.Length}.");
    }

    private string? Kind(out string? key)
    {
        key = KeyOf("rope_type") ?? KeyOf("type");
        return key is null ? null : config.GetString(key) switch { "default" => "none", "su" => "longrope", var kind => kind };
    }

    /// <summary>The key under which a parameter is found, or null.</summary>
    private string? KeyOf(string name) =>
        s_places.Select(place => place + name).FirstOrDefault(config.Contains)
        ?? (KeysOutside.Contains(name) && config.Contains(name) ? name : null);

    private double? Number(string name) => KeyOf(name) is { } key ? config.GetNumber(key) : null;

    /// <summary>
    /// YaRN's magnitude is stated, or a quotient of two of the paper's form 0.1 · m · ln s + 1, or the paper's (m = 1). The reader's factor
    /// multiplies the last.
    /// </summary>
    private void Yarn(Action<string, object, string> set)
    {
        if (KeyOf("truncate") is { } truncate && config.GetFlag(truncate) == false) throw Bad(truncate, "true", "false");
        double? factor = Number("factor");
        if (factor is null && KeyOf("original_max_position_embeddings") is { } originalKey)
        {
            factor = config.GetNumber("max_position_embeddings") / config.GetNumber(originalKey);
            if (factor is { } ratio) set("rope.scaling.factor", ratio, originalKey);
        }

        if (factor is not { } scale) throw Bad("factor", "there for rope type yarn", "none");
        if (KeyOf("attention_factor") is { } statedKey)
        {
            set("rope.scaling.attn_factor", Positive(statedKey) / YarnMagnitude(scale, 1), statedKey);
        }
        else if (Number("mscale") is { } m && m != 0 && Number("mscale_all_dim") is { } all && all != 0)
        {
            set("rope.scaling.attn_factor", YarnMagnitude(scale, m) / YarnMagnitude(scale, all) / YarnMagnitude(scale, 1), KeyOf("mscale")!);
        }
    }

    private static double YarnMagnitude(double factor, double multiple) => factor > 1 ? (0.1 * multiple * Math.Log(factor)) + 1 : 1;

    /// <summary>LongRoPE's magnitude is stated, or √(1 + ln s / ln original) with s the growth of the context (arXiv:2402.13753).</summary>
    private void LongRope(Action<string, object, string> set, long? fallbackOriginal)
    {
        string typeKey = KeyOf("rope_type") ?? KeyOf("type")!;
        double? longest = config.GetNumber("max_position_embeddings");
        double? original = Number("original_max_position_embeddings");
        if (original is null && fallbackOriginal is { } fallback)
        {
            original = fallback;
            set("rope.scaling.original_context_length", fallback, "original_max_position_embeddings");
        }

        if (KeyOf("attention_factor") is { } key)
        {
            set("rope.scaling.attn_factor", Positive(key), key);
            return;
        }

        double? growth = original is null ? Number("factor") : longest / original;
        double? start = original ?? longest;
        set("rope.scaling.attn_factor", growth > 1 && start > 1 ? Math.Sqrt(1 + (Math.Log(growth.Value) / Math.Log(start.Value))) : 1.0, typeKey);
    }

    private double Positive(string key) => config.GetNumber(key) is { } value and > 0 ? value : throw Bad(key, "a positive number", config.Values[key]);

    private InvalidDataException Bad(string key, string expected, object found) =>
        new($"{config.Source}: '{key}' should be {expected}, found {FormattableString.Invariant($"{found}")}.");
}
