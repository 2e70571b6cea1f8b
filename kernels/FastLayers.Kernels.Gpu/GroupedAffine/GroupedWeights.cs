using FastLayers.Kernels.Gpu.MatMul;
using ILGPU;

namespace FastLayers.Kernels.Gpu.GroupedAffine;

/// <summary>
/// A matrix of <see cref="Kernels.GroupedAffine.GroupedAffineLayout"/> for the float matrix products: <c>scale · (code - zero)</c>, the zero taken off
/// the sum of a group, not off each code, where values are multiplied at once.
/// </summary>
internal struct GroupedWeights<TCodes> : IGpuWeights
    where TCodes : struct, IGpuCodes
{
    /// <summary>2^23: with its bits around it an integer below that is a float.</summary>
    private const float Offset = 8388608f;
    private const int OffsetBits = 0x4B000000;

    public ArrayView<int> Words;
    public ArrayView<float> Scales;
    public ArrayView<float> Zeros;
    public int WordsPerRow;
    public int GroupsPerRow;
    public int GroupLength;

    public readonly bool AlwaysWhole => true;

    public readonly Float4 Quad(int output, int quad)
    {
        long group = ((long)output * GroupsPerRow) + (4 * quad / GroupLength);
        float scale = Scales[group];
        float zero = Zeros[group];
        var codes = Codes(output, quad);
        return Quads.Of((codes.X - zero) * scale, (codes.Y - zero) * scale, (codes.Z - zero) * scale, (codes.W - zero) * scale);
    }

    public readonly float Dot(int output, int octet, Float4 low, Float4 high)
    {
        long group = ((long)output * GroupsPerRow) + (8 * octet / GroupLength);
        float sum = Quads.Dot(Codes(output, 2 * octet), low) + Quads.Dot(Codes(output, (2 * octet) + 1), high);
        return Scales[group] * (sum - (Zeros[group] * (Quads.Sum(low) + Quads.Sum(high))));
    }

    private readonly Float4 Codes(int output, int quad)
    {
        TCodes format = default;
        int codes = format.Quad(Words.SubView((long)output * WordsPerRow, WordsPerRow), quad);
        int mask = (1 << format.Bits) - 1;
        return Quads.Of(
            Interop.IntAsFloat((uint)((codes & mask) | OffsetBits)) - Offset,
            Interop.IntAsFloat((uint)(((codes >> format.Bits) & mask) | OffsetBits)) - Offset,
            Interop.IntAsFloat((uint)(((codes >> (2 * format.Bits)) & mask) | OffsetBits)) - Offset,
            Interop.IntAsFloat((uint)(((codes >> (3 * format.Bits)) & mask) | OffsetBits)) - Offset);
    }
}
