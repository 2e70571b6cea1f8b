namespace FastLayers.Kernels.Formats;

/// <summary>
/// What a block struct says about its format: the constants, the scalar definitions of unpacking and encoding, and the vectorized unpacking. Pointers address whole blocks; lengths are checked by the caller, <see cref="Format{TBlock}"/>.
/// </summary>
internal unsafe interface IQuantizedBlock<TSelf> where TSelf : unmanaged, IQuantizedBlock<TSelf>
{
    /// <summary>Name, number and sizes.</summary>
    static abstract FormatTraits Traits { get; }

    /// <summary>Writes the codes of one block, and one scale (and where the format has them one minimum) for each group.</summary>
    static abstract void Unpack(TSelf* block, sbyte* codes, float* scales, float* minimums);

    /// <summary>Packs one block of values; <paramref name="importance"/> is null or has a weight for each value.</summary>
    static abstract void Encode(float* values, float* importance, TSelf* block);

    /// <summary>Whether every stored scale and minimum is finite.</summary>
    static abstract bool HasFiniteScales(TSelf* block);

    /// <summary>The same as <see cref="Unpack"/> by vector instructions; the implementations are in Dequantize/.</summary>
    static abstract void UnpackVectorized(TSelf* block, sbyte* codes, float* scales, float* minimums);
}
