namespace FastLayers.Kernels.Pruning;

/// <summary>How the tokens of a group become one.</summary>
public enum MergeMode
{
    /// <summary>h_a + mean of the members, as published checkpoints were trained: about twice as long as a token where there are members.</summary>
    AnchorPlusMean,

    /// <summary>(h_a + Σ members) / (1 + their number).</summary>
    Mean,
}
