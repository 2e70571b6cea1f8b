using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>TQ2_0: <c>d · (code - 1)</c>; byte 32n + m has the codes of values 128n + m, + 32, + 64 and + 96.</summary>
internal readonly struct GpuTQ2_0 : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 32;

    public int CodeOffset => 0;

    public int CodeBytes => 64;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad)
    {
        int packed = (codes[(block * 16) + ((quad >> 5) * 8) + (quad & 7)] >> (((quad >> 3) & 3) * 2)) & 0x03030303;
        return PackedBytes.SubtractEach(packed, 1);
    }

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 2);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
