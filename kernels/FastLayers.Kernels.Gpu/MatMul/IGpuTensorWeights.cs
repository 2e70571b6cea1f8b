namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>Weights <c>scale · code - minimum</c> whose codes are BF16 numbers, or sums of two, with one scale and one minimum for sixteen columns at least.</summary>
internal interface IGpuTensorWeights : IGpuWeights
{
    /// <summary>Whether there are codes that one BF16 number cannot hold; each is then the sum of two.</summary>
    bool HasSecondParts { get; }

    /// <summary>Whether <see cref="Minimum"/> can be other than zero.</summary>
    bool HasMinimums { get; }

    /// <summary>The codes of values 4·<paramref name="quad"/> to 4·<paramref name="quad"/>+3 of a row; zero beyond its end.</summary>
    Float4 Codes(int output, int quad);

    /// <summary>The scale of values 16·<paramref name="sixteen"/> to 16·<paramref name="sixteen"/>+15 of a row.</summary>
    float Scale(int output, int sixteen);

    /// <summary>What is subtracted from these values.</summary>
    float Minimum(int output, int sixteen);
}
