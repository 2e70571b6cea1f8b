namespace FastLayers;

/// <summary>A linear map: weight [outputs, inputs] and an optional bias.</summary>
internal sealed record Linear(Tensor Weight, Tensor? Bias = null)
{
    public int Outputs => (int)Weight.Rows;

    /// <summary>The map as one of several of the same input.</summary>
    public Projection Into(Tensor output) => new(Weight, Bias, output);
}

/// <summary>Scale and optional shift of a norm.</summary>
internal sealed record Norm(Tensor Weight, Tensor? Bias = null);

/// <summary>One expert's feed-forward maps.</summary>
internal sealed record FeedForwardMaps(Linear? Gate, Linear Up, Linear Down);

/// <summary>
/// Weights of a block. What is null is not done, which is how one forward pass serves every placement of norms: before the sublayer
/// (llama), before and after it (gemma2), after it (olmo2), after the addition (bert).
/// </summary>
internal sealed record LayerWeights
{
    public Norm? AttentionNorm { get; init; }

    public required Linear Query { get; init; }

    public required Linear Key { get; init; }

    public required Linear Value { get; init; }

    public Norm? QueryNorm { get; init; }

    public Norm? KeyNorm { get; init; }

    public required Linear Output { get; init; }

    public Norm? AttentionPostNorm { get; init; }

    public Linear? ResidualProjection { get; init; }

    public Norm? AttentionResidualNorm { get; init; }

    public Norm? FeedForwardNorm { get; init; }

    /// <summary>The feed-forward maps, or null where <see cref="Experts"/> stand instead.</summary>
    public FeedForwardMaps? FeedForward { get; init; }

    public Linear? Router { get; init; }

    public IReadOnlyList<FeedForwardMaps>? Experts { get; init; }

    public Norm? FeedForwardPostNorm { get; init; }

    public Norm? FeedForwardResidualNorm { get; init; }

    public required int KeySize { get; init; }

    public required int ValueSize { get; init; }
}

/// <summary>All weights of a model on one device.</summary>
internal sealed record TransformerWeights
{
    public required Tensor TokenEmbedding { get; init; }

    /// <summary>Learned or sinusoidal positions [positions, width], or null.</summary>
    public Tensor? PositionEmbedding { get; init; }

    /// <summary>Added to every token (BERT's first segment), or null.</summary>
    public Tensor? SegmentEmbedding { get; init; }

    public Norm? EmbeddingNorm { get; init; }

    public required IReadOnlyList<LayerWeights> Layers { get; init; }

    public Norm? OutputNorm { get; init; }

    /// <summary>Map from the residual stream to logits, or null in an encoder.</summary>
    public Linear? Output { get; init; }

    /// <summary>Map from the pooled vector to the embedding (with tanh), or null.</summary>
    public Linear? PoolingHead { get; init; }

    /// <summary>Width of the token embeddings; differs from the stream's where the first block widens it.</summary>
    public int EmbeddingWidth => TokenEmbedding.Columns;
}
