using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Q8_K: <c>d · code</c> with a float32 d; the rest of a block is d and the sums of every 16 codes.</summary>
internal readonly struct GpuQ8_K : IGpuBlock
{
    public int BlockLength => 256;

    public int GroupLength => 32;

    public int CodeOffset => 4;

    public int CodeBytes => 256;

    public int RestBytes => 36;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => codes[(block * 64) + quad];

    public float Scale(ArrayView<byte> rest, int block, int group) => rest.SubView(block * 36, 4).Cast<float>()[0];

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
