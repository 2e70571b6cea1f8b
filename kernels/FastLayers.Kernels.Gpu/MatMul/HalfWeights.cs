using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>A matrix of 16-bit floats, whose elements are their own codes.</summary>
internal struct HalfWeights<THalf> : IGpuTensorWeights
    where THalf : struct, IGpuHalf
{
    public FloatWeights<ushort, THalf> Elements;

    public readonly bool AlwaysWhole => false;

    public readonly bool HasMinimums => false;

    public readonly bool HasSecondParts
    {
        get
        {
            THalf format = default;
            return !format.IsExactInBF16;
        }
    }

    public readonly Float4 Quad(int output, int quad) => Elements.Quad(output, quad);

    public readonly float Dot(int output, int octet, Float4 low, Float4 high) => Elements.Dot(output, octet, low, high);

    public readonly Float4 Codes(int output, int quad) => Elements.Quad(output, quad);

    public readonly float Scale(int output, int sixteen) => 1;

    public readonly float Minimum(int output, int sixteen) => 0;
}
