namespace FastLayers;

/// <summary>How activations enter a product with a block-quantized matrix.</summary>
public enum ActivationPrecision
{
    /// <summary>Rounded to 8 bit in blocks of 32, products in integers: the fast way, relative error about 0.5 % an activation.</summary>
    Int8,

    /// <summary>Kept in float32, weights decoded: the exact way.</summary>
    Float32,
}
