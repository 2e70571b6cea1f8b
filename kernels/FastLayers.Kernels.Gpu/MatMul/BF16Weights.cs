using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>A BF16 matrix, whose elements are their own codes.</summary>
internal struct BF16Weights : IGpuTensorWeights
{
    public FloatWeights<ushort, GpuBF16> Elements;

    public readonly bool AlwaysWhole => false;

    public readonly bool HasMinimums => false;

    public readonly Float4 Quad(int output, int quad) => Elements.Quad(output, quad);

    public readonly float Dot(int output, int octet, Float4 low, Float4 high) => Elements.Dot(output, octet, low, high);

    public readonly Float4 Codes(int output, int quad) => Elements.Quad(output, quad);

    public readonly float Scale(int output, int sixteen) => 1;

    public readonly float Minimum(int output, int sixteen) => 0;
}
