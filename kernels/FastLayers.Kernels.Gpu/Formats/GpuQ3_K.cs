using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// Q3_K: <c>d · (6-bit scale - 32) · (lower bits + 4 · third bit - 4)</c>. The first 32 bytes of the codes have the third bits, one plane of 32
/// values a bit; the lower bits lie as in Q2_K.
/// </summary>
internal readonly struct GpuQ3_K : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 16;

    public int CodeOffset => 0;

    public int CodeBytes => 96;

    public int RestBytes => 14;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int lower = (codes[(block * 24) + 8 + ((quad >> 5) * 8) + (quad & 7)] >> (((quad >> 3) & 3) * 2)) & 0x03030303;
        int third = (codes[(block * 24) + (quad & 7)] >> (quad >> 3)) & 0x01010101;
        return PackedBytes.SubtractEach(lower | (third << 2), 4);
    }

    public float Scale(ArrayView<byte> rest, int block, int group)
    {
        int start = block * 14;
        int lower = (rest[start + (group & 7)] >> ((group >> 3) * 4)) & 15;
        int upper = (rest[start + 8 + (group & 3)] >> ((group >> 2) * 2)) & 3;
        return PackedBytes.Half(rest, start + 12) * ((lower | (upper << 4)) - 32);
    }

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
