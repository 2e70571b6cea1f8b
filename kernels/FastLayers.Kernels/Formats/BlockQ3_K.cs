using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q3_K: value = block scale * (6-bit scale of its 16 values - 32) * (two lower bits + 4 * third bit - 4). Lower bits of value
/// 128n + 32k + m are bits 2k of byte 32n + m, its third bit is bit 4n + k of byte m of <see cref="ThirdBits"/>.
/// Of the 12 scale bytes, scale i has its lower 4 bits in nibble i / 8 of byte i % 8, its upper 2 at bits i / 4 * 2 of byte 8 + i % 4.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ3_K : IQuantizedBlock<BlockQ3_K>
{
    public fixed byte ThirdBits[32];
    public fixed byte LowerBits[64];
    public fixed byte Scales[12];
    public HalfScale Scale;

    public static FormatTraits Traits => new("q3_k", TypeId: 11, BlockLength: 256, BlockBytes: 110, GroupLength: 16);

    /// <summary>The 6-bit scale of a group, -32 to 31.</summary>
    public static int ScaleOf(BlockQ3_K* block, int g) =>
        (block->Scales[g % 8] >> g / 8 * 4 & 15 | (block->Scales[8 + g % 4] >> g / 4 * 2 & 3) << 4) - 32;

    public static void Unpack(BlockQ3_K* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 16; g++)
            scales[g] = block->Scale.Value * ScaleOf(block, g);
        for (int i = 0; i < 256; i++)
        {
            int lower = block->LowerBits[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
            int third = block->ThirdBits[i % 32] >> i / 32 & 1;
            codes[i] = (sbyte)(lower + 4 * third - 4);
        }
    }

    public static void Encode(float* values, float* importance, BlockQ3_K* block)
    {
        SymmetricBlock found = SymmetricSearch.Encode(
            new WholeGrid(-4, 3), values, importance, groupLength: 16, lowestScale: -32, highestScale: 31);
        *block = default;
        block->Scale = found.Scale;
        for (int g = 0; g < 16; g++)
        {
            int scale = found.Scales[g] + 32;
            block->Scales[g % 8] |= (byte)((scale & 15) << g / 8 * 4);
            block->Scales[8 + g % 4] |= (byte)(scale >> 4 << g / 4 * 2);
        }
        for (int i = 0; i < 256; i++)
        {
            int code = found.Codes[i] + 4;
            block->LowerBits[i / 128 * 32 + i % 32] |= (byte)((code & 3) << i / 32 % 4 * 2);
            block->ThirdBits[i % 32] |= (byte)(code >> 2 << i / 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ3_K* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackK.Q3_K(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ3_K* block) => block->Scale.IsFinite;
}
