using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q5_1: <c>d · (nibble + 16 · bit) + m</c>; the first word of the codes has the fifth bits, low nibbles are values 0 to 15.</summary>
internal readonly struct GpuQ5_1 : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 4;

    public int CodeBytes => 20;

    public int RestBytes => 4;

    public bool HasMinimums => true;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int nibbles = (codes[(block * 5) + 1 + (quad & 3)] >> (quad & 4)) & 0x0F0F0F0F;
        return nibbles | (PackedBytes.SpreadBits(codes[block * 5] >> (quad * 4)) << 4);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 4);

    public float Minimum(ArrayView<byte> rest, int block, int group) => -PackedBytes.Half(rest, (block * 4) + 2);
}
