using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>MXFP4: <c>2^(exponent - 128) · (twice the E2M1 float)</c>; low nibbles are values 0 to 15.</summary>
internal readonly struct GpuMXFP4 : IGpuBlock
{
    public int BlockLength => 32;

    public int GroupLength => 32;

    public int CodeOffset => 1;

    public int CodeBytes => 16;

    public int RestBytes => 1;

    public bool HasMinimums => false;

    public int Codes(ArrayView<int> codes, int block, int quad) => NibbleLevels.E2M1(codes[(block * 4) + (quad & 3)] >> (quad & 4));

    public float Scale(ArrayView<byte> rest, int block, int group) => ScaleOf(rest[block]);

    public float Minimum(ArrayView<byte> rest, int block, int group) => 0;

    /// <summary>2^(exponent - 128); the two smallest are subnormal.</summary>
    public static float ScaleOf(int exponent) => Interop.IntAsFloat((uint)(exponent < 2 ? 0x0020_0000 << exponent : (exponent - 1) << 23));
}
