using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q4_1: <c>d · nibble + m</c>; low nibbles are values 0 to 15.</summary>
internal readonly struct GpuQ4_1 : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 4;

    public int CodeBytes => 16;

    public int RestBytes => 4;

    public bool HasMinimums => true;

    public int Codes(ArrayView<int> codes, int block, int quad) => (codes[(block * 4) + (quad & 3)] >> (quad & 4)) & 0x0F0F0F0F;

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 4);

    public float Minimum(ArrayView<byte> rest, int block, int group) => -PackedBytes.Half(rest, (block * 4) + 2);
}
