using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// The 6-bit scales and minimums of Q4_K and Q5_K in 12 bytes. Groups 0 to 3 have theirs in the lower 6 bits of bytes 0 to 3 and 4 to 7; groups
/// 4 to 7 have the lower 4 bits in the nibbles of bytes 8 to 11 (scale low, minimum high) and the upper 2 at the top of bytes 0 to 3 and 4 to 7.
/// </summary>
internal static class SixBits
{
    public static int Scale(ArrayView<byte> bytes, int start, int group)
    {
        int first = bytes[start + (group & 3)];
        int nibble = bytes[start + 8 + (group & 3)] & 15;
        return group < 4 ? first & 63 : nibble | ((first >> 6) << 4);
    }

    public static int Minimum(ArrayView<byte> bytes, int start, int group)
    {
        int first = bytes[start + 4 + (group & 3)];
        int nibble = bytes[start + 8 + (group & 3)] >> 4;
        return group < 4 ? first & 63 : nibble | ((first >> 6) << 4);
    }
}
