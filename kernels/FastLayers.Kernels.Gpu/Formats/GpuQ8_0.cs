using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q8_0: <c>d · code</c>.</summary>
internal readonly struct GpuQ8_0 : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 2;

    public int CodeBytes => 32;

    public int RestBytes => 2;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => codes[(block * 8) + quad];

    public float Scale(ArrayView<byte> rest, int block, int group) => PackedBytes.Half(rest, block * 2);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
