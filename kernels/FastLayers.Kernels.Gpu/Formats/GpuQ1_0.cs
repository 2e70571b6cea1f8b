using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q1_0: <c>d</c> where the bit is set, else <c>-d</c>; bits are counted from the lowest of the first byte.</summary>
internal readonly struct GpuQ1_0 : IGpuBlock
{
    public int BlockLength => 128;

    public int GroupLength => 32;

    public int CodeOffset => 2;

    public int CodeBytes => 16;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => PackedBytes.SubtractEach(PackedBytes.SpreadBits(codes[(block * 4) + (quad >> 3)] >> ((quad & 7) * 4)) << 1, 1);

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 2);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
