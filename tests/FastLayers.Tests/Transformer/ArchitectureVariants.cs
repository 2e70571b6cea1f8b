namespace FastLayers.Tests.Transformer;

/// <summary>A tiny random model of some architecture, and what its session differs in.</summary>
/// <param name="Name">What the variant is about.</param>
/// <param name="Architecture">The architecture.</param>
/// <param name="Shape">The shape, beyond <see cref="ArchitectureVariants.Base"/>.</param>
/// <param name="Context">The context of the session, where it matters; 0 for the number of tokens.</param>
internal sealed record ArchitectureVariant(string Name, string Architecture, string Shape = "", int Context = 0)
{
    public string FullShape => Shape.Length == 0 ? ArchitectureVariants.Base : ArchitectureVariants.Merge(ArchitectureVariants.Base, Shape);

    public override string ToString() => $"{Architecture} {Name}";

    /// <summary>The name of files that belong to the variant.</summary>
    public string FileName => ToString().Replace(",", "", StringComparison.Ordinal).Replace('/', ' ').Replace(' ', '-');
}

/// <summary>Every form of every architecture that files come in.</summary>
internal static class ArchitectureVariants
{
    /// <summary>The deviation makes scores and logits large enough for soft caps, norms and positions to matter.</summary>
    public const string Base = "layers=3,width=64,ffn=96,heads=4,vocabulary=320,context=128,deviation=0.25";

    public static IReadOnlyList<ArchitectureVariant> All { get; } =
    [
        new("plain", "llama"),
        new("tied", "llama", "tied=true"),
        new("grouped heads", "llama", "kv-heads=2"),
        new("one key/value head", "llama", "kv-heads=1"),
        new("wide heads", "llama", "kv-heads=2,head-size=32"),
        new("rotary base", "llama", "rope-base=500000"),
        new("linear scaling", "llama", "rope-scaling=linear,rope-factor=4"),
        new("yarn", "llama", "head-size=32,rope-scaling=yarn,rope-factor=4"),
        new("llama 3 scaling", "llama", "rope-scaling=llama3,rope-factor=8,original-context=64"),
        new("plain", "qwen2", "kv-heads=2"),
        new("tied", "qwen2", "kv-heads=2,tied=true"),
        new("yarn", "qwen2", "head-size=16,rope-scaling=yarn,rope-factor=2,original-context=48"),
        new("plain", "qwen3", "kv-heads=2"),
        new("wide heads", "qwen3", "kv-heads=2,head-size=32"),
        new("linear scaling", "qwen3", "rope-scaling=linear,rope-factor=2"),
        new("one expert", "qwen3moe", "kv-heads=2,experts=4,experts-used=1"),
        new("three experts", "qwen3moe", "kv-heads=2,head-size=32,experts=8,experts-used=3"),
        new("all experts", "qwen3moe", "experts=4,experts-used=4"),
        new("whole window", "gemma2", "kv-heads=2"),
        new("short window", "gemma2", "kv-heads=2,head-size=32,window=8"),
        new("yarn", "gemma2", "window=8,rope-scaling=yarn,rope-factor=4"),
        new("whole window", "gemma3", "layers=7,kv-heads=2"),
        new("short window", "gemma3", "layers=7,kv-heads=1,head-size=32,window=8"),
        new("untied", "gemma3", "layers=7,tied=false,window=8"),
        new("linear scaling", "gemma3", "layers=7,window=8,rope-scaling=linear,rope-factor=8"),
        new("plain", "phi3", "kv-heads=2"),
        new("window that is not applied", "phi3", "window=8"),
        new("partial rotary", "phi3", "rope-dimensions=12"),
        new("longrope, short", "phi3", "context=512,rope-scaling=longrope,original-context=256", Context: 256),
        new("longrope, long", "phi3", "context=512,rope-scaling=longrope,original-context=256", Context: 512),
        new("tied", "gpt2"),
        new("untied", "gpt2", "tied=false"),
        new("plain", "olmo2"),
        new("grouped heads", "olmo2", "kv-heads=2"),
        new("yarn", "olmo2", "rope-scaling=yarn,rope-factor=4"),
        new("plain", "bert"),
    ];

    /// <summary>A shape whose later keys replace the earlier ones.</summary>
    public static string Merge(string shape, string changes)
    {
        var numbers = new Dictionary<string, string>();
        foreach (var pair in (shape + "," + changes).Split(',').Select(part => part.Split('='))) numbers[pair[0]] = pair[1];
        return string.Join(",", numbers.Select(pair => $"{pair.Key}={pair.Value}"));
    }
}
