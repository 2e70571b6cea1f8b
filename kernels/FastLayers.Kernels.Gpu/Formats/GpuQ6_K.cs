using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// Q6_K: <c>d · 8-bit scale · (nibble + 16 · upper bits - 32)</c>. Value 128n + 32k + l has nibble k / 2 of byte 64n + 32 (k mod 2) + l, and
/// bits 2k of byte 128 + 32n + l of the codes.
/// </summary>
internal readonly struct GpuQ6_K : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 16;

    public int CodeOffset => 0;

    public int CodeBytes => 192;

    public int RestBytes => 18;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int half = quad >> 5;
        int k = (quad >> 3) & 3;
        int nibbles = (codes[(block * 48) + (half * 16) + ((k & 1) * 8) + (quad & 7)] >> ((k >> 1) * 4)) & 0x0F0F0F0F;
        int upper = (codes[(block * 48) + 32 + (half * 8) + (quad & 7)] >> (k * 2)) & 0x03030303;
        return PackedBytes.SubtractEach(nibbles | (upper << 4), 32);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, (block * 18) + 16) * PackedBytes.Signed(rest[(block * 18) + group], 0);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
