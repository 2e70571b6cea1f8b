using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>IQ4_XS: <c>d · (6-bit scale - 32) · level of the nibble</c> in groups of 32; low nibbles are the first 16 values of a group.</summary>
internal readonly struct GpuIQ4_XS : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 32;

    public int CodeOffset => 8;

    public int CodeBytes => 128;

    public int RestBytes => 8;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => NibbleLevels.Uneven(codes[(block * 32) + ((quad >> 3) * 4) + (quad & 3)] >> (quad & 4));

    public float Scale(ArrayView<byte> rest, int block, int group)
    {
        int start = block * 8;
        int lower = (rest[start + 4 + (group >> 1)] >> ((group & 1) * 4)) & 15;
        int upper = (rest[start + 2 + (group >> 2)] >> ((group & 3) * 2)) & 3;
        return PackedBytes.Half(rest, start) * ((lower | (upper << 4)) - 32);
    }

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
