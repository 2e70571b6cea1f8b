using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q2_0: <c>d · (code - 1)</c>; four neighbors share a byte, the first in its lowest bits.</summary>
internal readonly struct GpuQ2_0 : IGpuBlock
{
    public int BlockLength => 64;

    public int GroupLength => 32;

    public int CodeOffset => 2;

    public int CodeBytes => 16;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int packed = (codes[(block * 4) + (quad >> 2)] >> ((quad & 3) * 8)) & 0xFF;
        int nibbles = (packed | (packed << 12)) & 0x000F000F;
        return PackedBytes.SubtractEach((nibbles | (nibbles << 6)) & 0x03030303, 1);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 2);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
