using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>NVFP4: <c>½ · UE4M3 scale · (twice the E2M1 float)</c> in groups of 16; low nibbles are the first 8 values of a group.</summary>
internal readonly struct GpuNVFP4 : IGpuBlock
{
    public int BlockLength => 64;

    public int GroupLength => 16;

    public int CodeOffset => 4;

    public int CodeBytes => 32;

    public int RestBytes => 4;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => NibbleLevels.E2M1(codes[(block * 8) + ((quad >> 2) * 2) + (quad & 1)] >> ((quad & 2) << 1));

    public float Scale(ArrayView<byte> rest, int block, int group) => 0.5f * GpuUE4M3.ToFloat(rest[(block * 4) + group]);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
}
