using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q4_0: <c>d · (nibble - 8)</c>; low nibbles are values 0 to 15.</summary>
internal readonly struct GpuQ4_0 : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 2;

    public int CodeBytes => 16;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int nibbles = (codes[(block * 4) + (quad & 3)] >> (quad & 4)) & 0x0F0F0F0F;
        return PackedBytes.SubtractEach(nibbles, 8);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 2);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
