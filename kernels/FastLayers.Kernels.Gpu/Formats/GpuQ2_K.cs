using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q2_K: <c>d · (low nibble of the group) · code - dmin · (its high nibble)</c>; byte 32n + m has the codes of values 128n + m, + 32, + 64 and + 96.</summary>
internal readonly struct GpuQ2_K : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 16;

    public int CodeOffset => 16;

    public int CodeBytes => 64;

    public int RestBytes => 20;

    public bool HasMinimums => true;

    public int Codes(ArrayView<int> codes, int block, int quad) => (codes[(block * 16) + ((quad >> 5) * 8) + (quad & 7)] >> (((quad >> 3) & 3) * 2)) & 0x03030303;

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, (block * 20) + 16) * (rest[(block * 20) + group] & 15);

    public float Minimum(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, (block * 20) + 18) * (rest[(block * 20) + group] >> 4);
}
