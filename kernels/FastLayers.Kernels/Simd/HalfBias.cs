namespace FastLayers.Kernels.Simd;

/// <summary>The difference of the exponent biases of a float and a half.</summary>
internal static class HalfBias
{
    /// <summary>2^112: makes a float whose exponent is still biased like that of a half what it means; exact, denormals too.</summary>
    public const float Factor = 5.192296858534828e33f;
}
