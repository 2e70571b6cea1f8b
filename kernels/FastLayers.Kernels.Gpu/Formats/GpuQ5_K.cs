using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q5_K: as Q4_K, with a fifth bit a code: the first 32 bytes of the codes have them, one group of 32 values a bit.</summary>
internal readonly struct GpuQ5_K : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 32;

    public int CodeOffset => 16;

    public int CodeBytes => 160;

    public int RestBytes => 16;

    public bool HasMinimums => true;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int nibbles = (codes[(block * 40) + 8 + ((quad >> 4) * 8) + (quad & 7)] >> ((quad & 8) >> 1)) & 0x0F0F0F0F;
        int fifth = (codes[(block * 40) + (quad & 7)] >> (quad >> 3)) & 0x01010101;
        return nibbles | (fifth << 4);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 16) * SixBits.Scale(rest, (block * 16) + 4, group);

    public float Minimum(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, (block * 16) + 2) * SixBits.Minimum(rest, (block * 16) + 4, group);
}
