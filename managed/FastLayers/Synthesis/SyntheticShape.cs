using System.Globalization;

namespace FastLayers.Synthesis;

/// <summary>Shapes as text: well-known names, and lists of <c>key=value</c>.</summary>
internal static class SyntheticShape
{
    private const string Keys =
        "layers, width, ffn, heads, kv-heads, head-size, vocabulary, context, tied, experts, experts-used, window, "
        + "rope-dimensions, rope-base, rope-scaling, rope-factor, original-context, deviation";

    /// <summary>Applies a shape to options.</summary>
    /// <exception cref="ArgumentException">A name, key or number is unknown.</exception>
    public static SyntheticModelOptions Parse(string shape, SyntheticModelOptions options)
    {
        var parts = shape.Split(',', StringSplitOptions.TrimEntries);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < parts.Length; i++)
        {
            var equals = parts[i].IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                options = i == 0 ? Named(parts[i], options)
                    : throw new ArgumentException($"Shape '{shape}': expected key=value, found '{parts[i]}'.", nameof(shape));
                continue;
            }
            var (key, text) = (parts[i][..equals].Trim(), parts[i][(equals + 1)..].Trim());
            if (!seen.Add(key)) throw new ArgumentException($"Shape '{shape}': '{key}' is given twice.", nameof(shape));
            options = With(options, key, text);
        }
        return options;
    }

    /// <summary>The number of key and value heads.</summary>
    public static int KeyValueHeads(SyntheticModelOptions options) => options.KeyValueHeads > 0 ? options.KeyValueHeads : options.Heads;

    /// <summary>The width of one head.</summary>
    public static int HeadSize(SyntheticModelOptions options) => options.HeadSize > 0 ? options.HeadSize : options.Width / options.Heads;

    /// <summary>The values of each head that are rotated.</summary>
    public static int RotaryDimensions(SyntheticModelOptions options) => options.Rotary.Dimensions > 0 ? options.Rotary.Dimensions : HeadSize(options);

    /// <summary>The base of the rotary frequencies.</summary>
    public static float RotaryBase(SyntheticArchitecture architecture, SyntheticModelOptions options) =>
        options.Rotary.Base > 0 ? options.Rotary.Base : architecture.RotaryBase;

    private static SyntheticModelOptions Named(string name, SyntheticModelOptions options) => name.ToUpperInvariant() switch
    {
        "135M" => options with
        {
            Layers = 30,
            Width = 576,
            FeedForward = 1536,
            Heads = 9,
            KeyValueHeads = 3,
            Vocabulary = 49152,
            Context = 2048,
            Tied = true,
        },
        "1.1B" => options with
        {
            Layers = 22,
            Width = 2048,
            FeedForward = 5632,
            Heads = 32,
            KeyValueHeads = 4,
            Vocabulary = 32000,
            Context = 2048,
            Tied = false,
        },
        "8B" => options with
        {
            Layers = 32,
            Width = 4096,
            FeedForward = 14336,
            Heads = 32,
            KeyValueHeads = 8,
            Vocabulary = 128256,
            Context = 8192,
            Tied = false,
            Rotary = new SyntheticRotary { Base = 500_000 },
        },
        _ => throw new ArgumentException($"Expected a shape (135m, 1.1b, 8b, or key=value with the keys {Keys}), found '{name}'.", nameof(name)),
    };

    private static SyntheticModelOptions With(SyntheticModelOptions options, string key, string text) => key switch
    {
        "layers" => options with { Layers = Integer(key, text) },
        "width" => options with { Width = Integer(key, text) },
        "ffn" => options with { FeedForward = Integer(key, text) },
        "heads" => options with { Heads = Integer(key, text) },
        "kv-heads" => options with { KeyValueHeads = Integer(key, text) },
        "head-size" => options with { HeadSize = Integer(key, text) },
        "vocabulary" => options with { Vocabulary = Integer(key, text) },
        "context" => options with { Context = Integer(key, text) },
        "tied" => options with { Tied = Flag(key, text) },
        "experts" => options with { Experts = Integer(key, text) },
        "experts-used" => options with { ExpertsUsed = Integer(key, text) },
        "window" => options with { Window = Integer(key, text) },
        "deviation" => options with { Deviation = Real(key, text) },
        "rope-dimensions" => options with { Rotary = options.Rotary with { Dimensions = Integer(key, text) } },
        "rope-base" => options with { Rotary = options.Rotary with { Base = Real(key, text) } },
        "rope-scaling" => options with { Rotary = options.Rotary with { Scaling = Scaling(text) } },
        "rope-factor" => options with { Rotary = options.Rotary with { Factor = Real(key, text) } },
        "original-context" => options with { Rotary = options.Rotary with { OriginalContext = Integer(key, text) } },
        _ => throw new ArgumentException($"Unknown key '{key}' in a shape; expected one of {Keys}.", nameof(key)),
    };

    private static int Integer(string key, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{key}: expected a whole number of at least 1, found '{text}'.", nameof(text));

    private static float Real(string key, string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number) && number > 0
            ? number
            : throw new ArgumentException($"{key}: expected a number above 0, found '{text}'.", nameof(text));

    private static bool Flag(string key, string text) =>
        bool.TryParse(text, out var flag) ? flag : throw new ArgumentException($"{key}: expected true or false, found '{text}'.", nameof(text));

    private static SyntheticScaling Scaling(string text) =>
        Enum.TryParse<SyntheticScaling>(text, ignoreCase: true, out var scaling) && Enum.IsDefined(scaling) && !char.IsAsciiDigit(text[0])
            ? scaling
            : throw new ArgumentException($"rope-scaling: expected none, linear, yarn, llama3 or longrope, found '{text}'.", nameof(text));
}
