using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q8_1: <c>d · code</c>; the rest of a block is d and the scaled sum of the codes.</summary>
internal readonly struct GpuQ8_1 : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 4;

    public int CodeBytes => 32;

    public int RestBytes => 4;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => codes[(block * 8) + quad];

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 4);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
