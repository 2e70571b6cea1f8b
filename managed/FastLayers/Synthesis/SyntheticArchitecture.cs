namespace FastLayers.Synthesis;

/// <summary>How a vocabulary is spelled.</summary>
internal enum VocabularyKind { SentencePiece, BytePairs, WordPieces }

/// <summary>Where the norms of a layer stand, relative to attention and feed-forward.</summary>
internal enum NormPlacement { Before, After, Both, AfterResidual }

/// <summary>What query and key norms span.</summary>
internal enum QueryKeyNorm { None, Head, Width }

/// <summary>The form of the feed-forward network.</summary>
internal enum FeedForwardKind { Plain, Gated, GatedFused, Experts }

/// <summary>Which projections have biases.</summary>
internal enum Biases { None, QueryKeyValue, All }

/// <summary>Whether the output matrix may be the token embedding.</summary>
internal enum Tying { TiedByDefault, UntiedByDefault, Always, Never, NoOutput }

/// <summary>One row of the table of architectures: what llama.cpp expects in a GGUF file of that name.</summary>
internal sealed record SyntheticArchitecture(string Name, VocabularyKind Vocabulary, string PreTokenizer)
{
    public NormPlacement Norms { get; init; } = NormPlacement.Before;

    /// <summary>LayerNorm with biases in place of RMSNorm.</summary>
    public bool LayerNorm { get; init; }

    public float Epsilon { get; init; } = 1e-5f;

    public QueryKeyNorm QueryKeyNorm { get; init; }

    public FeedForwardKind FeedForward { get; init; } = FeedForwardKind.Gated;

    public Biases Biases { get; init; }

    public Tying Tying { get; init; } = Tying.UntiedByDefault;

    /// <summary>Query, key and value rows are one matrix.</summary>
    public bool FusedQueryKeyValue { get; init; }

    /// <summary>The head size need not be width / heads, and is always stated.</summary>
    public bool StatesHeadSize { get; init; }

    /// <summary>Rotary positions; else a learned table.</summary>
    public bool Rotary { get; init; } = true;

    public float RotaryBase { get; init; } = 10_000;

    /// <summary>Rotary positions may cover a part of each head.</summary>
    public bool PartialRotary { get; init; }

    /// <summary>The stretching rules that files of this architecture carry.</summary>
    public SyntheticScaling[] Scalings { get; init; } = [SyntheticScaling.None, SyntheticScaling.Linear, SyntheticScaling.Yarn];

    /// <summary>The usual sliding window; 0 for an architecture that has none, -1 for one where it is optional.</summary>
    public int Window { get; init; }

    public float AttentionSoftCap { get; init; }

    public float LogitSoftCap { get; init; }

    public bool Causal { get; init; } = true;

    public static IReadOnlyList<SyntheticArchitecture> All { get; } =
    [
        new("llama", VocabularyKind.SentencePiece, "default")
        {
            Scalings = [SyntheticScaling.None, SyntheticScaling.Linear, SyntheticScaling.Yarn, SyntheticScaling.Llama3],
        },
        new("qwen2", VocabularyKind.BytePairs, "qwen2") { Epsilon = 1e-6f, Biases = Biases.QueryKeyValue },
        new("qwen3", VocabularyKind.BytePairs, "qwen2") { Epsilon = 1e-6f, QueryKeyNorm = QueryKeyNorm.Head, StatesHeadSize = true },
        new("qwen3moe", VocabularyKind.BytePairs, "qwen2")
        {
            Epsilon = 1e-6f, QueryKeyNorm = QueryKeyNorm.Head, StatesHeadSize = true, FeedForward = FeedForwardKind.Experts,
        },
        new("gemma2", VocabularyKind.SentencePiece, "default")
        {
            Epsilon = 1e-6f, Norms = NormPlacement.Both, StatesHeadSize = true, Tying = Tying.Always, Window = 4096,
            AttentionSoftCap = 50, LogitSoftCap = 30,
        },
        new("gemma3", VocabularyKind.SentencePiece, "default")
        {
            Epsilon = 1e-6f, Norms = NormPlacement.Both, StatesHeadSize = true, Tying = Tying.TiedByDefault, Window = 1024,
            QueryKeyNorm = QueryKeyNorm.Head, RotaryBase = 1_000_000,
        },
        new("phi3", VocabularyKind.SentencePiece, "default")
        {
            FeedForward = FeedForwardKind.GatedFused, FusedQueryKeyValue = true, PartialRotary = true, Window = -1,
            Scalings = [SyntheticScaling.None, SyntheticScaling.Linear, SyntheticScaling.Yarn, SyntheticScaling.LongRope],
        },
        new("gpt2", VocabularyKind.BytePairs, "gpt-2")
        {
            LayerNorm = true, FeedForward = FeedForwardKind.Plain, FusedQueryKeyValue = true, Biases = Biases.All, Rotary = false,
            Tying = Tying.TiedByDefault,
        },
        new("olmo2", VocabularyKind.BytePairs, "dbrx")
        {
            Epsilon = 1e-6f, Norms = NormPlacement.After, QueryKeyNorm = QueryKeyNorm.Width, Tying = Tying.Never,
        },
        new("bert", VocabularyKind.WordPieces, "bert-bge")
        {
            Epsilon = 1e-12f, LayerNorm = true, Norms = NormPlacement.AfterResidual, FeedForward = FeedForwardKind.Plain,
            Biases = Biases.All, Rotary = false, Tying = Tying.NoOutput, Causal = false,
        },
    ];

    /// <summary>The row that options name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static SyntheticArchitecture Of(SyntheticModelOptions options) =>
        All.FirstOrDefault(row => row.Name == options.Architecture)
        ?? throw new ArgumentException($"Expected an architecture ({string.Join(", ", All.Select(row => row.Name))}), found '{options.Architecture}'.", nameof(options));

    /// <summary>Whether the output matrix is the token embedding.</summary>
    public bool IsTied(SyntheticModelOptions options) => options.Tied ?? Tying is Tying.TiedByDefault or Tying.Always or Tying.NoOutput;

    /// <summary>Checks that numbers fit each other and this architecture.</summary>
    /// <exception cref="ArgumentException">They do not; the message says which and why.</exception>
    public void Check(SyntheticModelOptions options) => new SyntheticCheck(this, options).Run();
}
