using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// IQ4_XS: value = level of the nibble * (6-bit scale of its 32 values - 32) * block scale; low nibbles are the first 16 of the 32.
/// The lower four bits of 6-bit scale k are nibble k of <see cref="ScaleNibbles"/>, the upper two bits 2k of <see cref="ScaleUpperBits"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockIQ4_XS : IQuantizedBlock<BlockIQ4_XS>
{
    public HalfScale Scale;
    public ushort ScaleUpperBits;
    public fixed byte ScaleNibbles[4];
    public fixed byte Nibbles[128];

    public static FormatTraits Traits => new("iq4_xs", TypeId: 23, BlockLength: 256, BlockBytes: 136, GroupLength: 32);

    /// <summary>The 6-bit scale of a group, -32 to 31.</summary>
    public static int ScaleOf(BlockIQ4_XS* block, int k) =>
        (block->ScaleNibbles[k / 2] >> k % 2 * 4 & 15 | (block->ScaleUpperBits >> 2 * k & 3) << 4) - 32;

    public static void Unpack(BlockIQ4_XS* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int k = 0; k < 8; k++)
        {
            scales[k] = block->Scale.Value * ScaleOf(block, k);
            for (int j = 0; j < 16; j++)
            {
                codes[32 * k + j] = UnevenLevels.Codes[block->Nibbles[16 * k + j] & 15];
                codes[32 * k + j + 16] = UnevenLevels.Codes[block->Nibbles[16 * k + j] >> 4];
            }
        }
    }

    public static void Encode(float* values, float* importance, BlockIQ4_XS* block)
    {
        SymmetricBlock found = SymmetricSearch.Encode(new UnevenGrid(), values, importance, groupLength: 32, lowestScale: -32, highestScale: 31);
        *block = default;
        block->Scale = found.Scale;
        for (int k = 0; k < 8; k++)
        {
            int scale = found.Scales[k] + 32;
            block->ScaleNibbles[k / 2] |= (byte)((scale & 15) << k % 2 * 4);
            block->ScaleUpperBits |= (ushort)(scale >> 4 << 2 * k);
        }
        for (int i = 0; i < 256; i++)
            block->Nibbles[i / 32 * 16 + i % 16] |= (byte)(UnevenLevels.NibbleOf(found.Codes[i]) << i / 16 % 2 * 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockIQ4_XS* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackLevels.IQ4_XS(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockIQ4_XS* block) => block->Scale.IsFinite;
}
