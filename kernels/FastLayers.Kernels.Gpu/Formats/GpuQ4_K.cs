using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q4_K: <c>d · scale · nibble - dmin · minimum</c> with 6-bit scales and minimums; byte 32p + l has values 64p + l (low) and 64p + 32 + l (high).</summary>
internal readonly struct GpuQ4_K : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 32;

    public int CodeOffset => 16;

    public int CodeBytes => 128;

    public int RestBytes => 16;

    public bool HasMinimums => true;

    public int Codes(ArrayView<int> codes, int block, int quad) => (codes[(block * 32) + ((quad >> 4) * 8) + (quad & 7)] >> ((quad & 8) >> 1)) & 0x0F0F0F0F;

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 16) * SixBits.Scale(rest, (block * 16) + 4, group);

    public float Minimum(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, (block * 16) + 2) * SixBits.Minimum(rest, (block * 16) + 4, group);
}
