namespace FastLayers.Kernels.Formats;

/// <summary>
/// The eight 6-bit scales and eight 6-bit minimums that Q4_K and Q5_K keep in 12 bytes: the first four scales in the lower 6 bits of bytes
/// 0 to 3, the first four minimums in bytes 4 to 7; the last four have their lower 4 bits in the nibbles of bytes 8 to 11 (scale low,
/// minimum high) and their upper 2 bits in the top of bytes 0 to 3 (scales) and 4 to 7 (minimums).
/// </summary>
internal static unsafe class SixBitScales
{
    /// <summary>Scale and minimum of group <paramref name="j"/>.</summary>
    public static (int Scale, int Minimum) Get(byte* packed, int j) => j < 4
        ? (packed[j] & 63, packed[j + 4] & 63)
        : (packed[j + 4] & 15 | packed[j - 4] >> 6 << 4, packed[j + 4] >> 4 | packed[j] >> 6 << 4);

    /// <summary>Packs eight scales and eight minimums, each 0 to 63.</summary>
    public static void Set(byte* packed, ReadOnlySpan<byte> scales, ReadOnlySpan<byte> minimums)
    {
        for (int j = 0; j < 4; j++)
        {
            packed[j] = (byte)(scales[j] | scales[j + 4] >> 4 << 6);
            packed[j + 4] = (byte)(minimums[j] | minimums[j + 4] >> 4 << 6);
            packed[j + 8] = (byte)(scales[j + 4] & 15 | minimums[j + 4] << 4);
        }
    }
}
