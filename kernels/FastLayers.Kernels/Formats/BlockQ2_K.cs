using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q2_K: value = block scale * (lower nibble of the group's byte) * code - block minimum * (upper nibble). Byte 32n + m holds the codes of
/// values 128n + m, + 32, + 64 and + 96, lowest bits first.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ2_K : IQuantizedBlock<BlockQ2_K>
{
    public fixed byte ScalesAndMinimums[16];
    public fixed byte Codes[64];
    public HalfScale Scale;
    public HalfScale Minimum;

    public static FormatTraits Traits => new("q2_k", TypeId: 10, BlockLength: 256, BlockBytes: 84, GroupLength: 16, HasMinimums: true);

    public static void Unpack(BlockQ2_K* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 16; g++)
        {
            scales[g] = block->Scale.Value * (block->ScalesAndMinimums[g] & 15);
            minimums[g] = block->Minimum.Value * (block->ScalesAndMinimums[g] >> 4);
        }
        for (int i = 0; i < 256; i++)
            codes[i] = (sbyte)(block->Codes[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3);
    }

    public static void Encode(float* values, float* importance, BlockQ2_K* block)
    {
        AffineBlock found = AffineSearch.Encode(highest: 3, highestScale: 15, groupLength: 16, values, importance);
        *block = default;
        (block->Scale, block->Minimum) = (found.Scale, found.Minimum);
        for (int g = 0; g < 16; g++)
            block->ScalesAndMinimums[g] = (byte)(found.Scales[g] | found.Minimums[g] << 4);
        for (int i = 0; i < 256; i++)
            block->Codes[i / 128 * 32 + i % 32] |= (byte)(found.Codes[i] << i / 32 % 4 * 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ2_K* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackK.Q2_K(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ2_K* block) => block->Scale.IsFinite && block->Minimum.IsFinite;
}
