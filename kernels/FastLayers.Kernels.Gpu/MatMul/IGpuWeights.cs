namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// A weight matrix [outputs, columns] as the float matrix products read it: four values (a quad) at a time into a tile, or eight (an octet)
/// at a time multiplied with activations. Implementations are structures of views; kernels are specialized for each.
/// </summary>
internal interface IGpuWeights
{
    /// <summary>Whether rows are whole octets that can be loaded at once, activations included; otherwise tails and odd starts occur.</summary>
    bool AlwaysWhole { get; }

    /// <summary>Values 4·<paramref name="quad"/> to 4·<paramref name="quad"/>+3 of a row; zero beyond its end.</summary>
    Float4 Quad(int output, int quad);

    /// <summary>
    /// Σ w[i] · x[i] over values 8·<paramref name="octet"/> to 8·<paramref name="octet"/>+7 of a row, with the scale multiplied once.
    /// </summary>
    float Dot(int output, int octet, Float4 low, Float4 high);
}
