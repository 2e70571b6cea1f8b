using System.Globalization;

namespace FastLayers.Peers.LlamaCpp;

/// <summary>What the command line says.</summary>
internal sealed record EngineOptions
{
    private static readonly Dictionary<string, int> s_cacheTypes = new()
    {
        ["f32"] = 0,
        ["f16"] = 1,
        ["q4_0"] = 2,
        ["q4_1"] = 3,
        ["q5_0"] = 6,
        ["q5_1"] = 7,
        ["q8_0"] = 8,
        ["iq4_nl"] = 20,
        ["bf16"] = 30,
    };

    public string Library { get; private init; } = "";

    public string Model { get; private init; } = "";

    public int Threads { get; private init; } = Environment.ProcessorCount;

    /// <summary>Tokens that a sequence holds.</summary>
    public int Context { get; private init; } = 1024;

    public int Sequences { get; private init; } = 1;

    public int KeyType { get; private init; } = s_cacheTypes["f16"];

    public int ValueType { get; private init; } = s_cacheTypes["f16"];

    public int Seed { get; private init; } = 1;

    /// <exception cref="ArgumentException">An unknown option, or a value that makes no sense.</exception>
    public static EngineOptions Parse(string[] arguments)
    {
        var options = new EngineOptions();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string name = arguments[i];
            string value = i + 1 < arguments.Length ? arguments[i + 1] : throw new ArgumentException($"{name} has no value.");
            options = name switch
            {
                "--library" => options with { Library = value },
                "--model" => options with { Model = value },
                "--threads" => options with { Threads = Count(name, value) },
                "--context" => options with { Context = Count(name, value) },
                "--sequences" => options with { Sequences = Count(name, value) },
                "--cache-k" => options with { KeyType = CacheType(name, value) },
                "--cache-v" => options with { ValueType = CacheType(name, value) },
                "--seed" => options with { Seed = Count(name, value) },
                _ => throw new ArgumentException($"There is no option {name}."),
            };
        }

        return options;
    }

    private static int Count(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0 ? count : throw new ArgumentException($"{name} should be a whole number from 1, found '{value}'.");

    private static int CacheType(string name, string value) =>
        s_cacheTypes.TryGetValue(value, out int type) ? type : throw new ArgumentException($"{name} should be one of {string.Join(", ", s_cacheTypes.Keys)}, found '{value}'.");
}
