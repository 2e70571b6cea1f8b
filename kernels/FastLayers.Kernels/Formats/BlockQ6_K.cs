using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q6_K: value = block scale * 8-bit scale of its 16 values * (nibble + 16 * upper bits - 32). Value 128n + 32k + l has nibble k / 2 of
/// byte 64n + 32 (k % 2) + l, and bits 2k of byte 32n + l of <see cref="UpperBits"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ6_K : IQuantizedBlock<BlockQ6_K>
{
    public fixed byte Nibbles[128];
    public fixed byte UpperBits[64];
    public fixed sbyte Scales[16];
    public HalfScale Scale;

    public static FormatTraits Traits => new("q6_k", TypeId: 14, BlockLength: 256, BlockBytes: 210, GroupLength: 16);

    public static void Unpack(BlockQ6_K* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 16; g++)
            scales[g] = block->Scale.Value * block->Scales[g];
        for (int i = 0; i < 256; i++)
        {
            int n = i / 128, k = i / 32 % 4, l = i % 32;
            int nibble = block->Nibbles[64 * n + 32 * (k % 2) + l] >> k / 2 * 4 & 15;
            int upper = block->UpperBits[32 * n + l] >> 2 * k & 3;
            codes[i] = (sbyte)((nibble | upper << 4) - 32);
        }
    }

    public static void Encode(float* values, float* importance, BlockQ6_K* block)
    {
        SymmetricBlock found = SymmetricSearch.Encode(
            new WholeGrid(-32, 31), values, importance, groupLength: 16, lowestScale: -128, highestScale: 127);
        *block = default;
        block->Scale = found.Scale;
        for (int g = 0; g < 16; g++)
            block->Scales[g] = found.Scales[g];
        for (int i = 0; i < 256; i++)
        {
            int n = i / 128, k = i / 32 % 4, l = i % 32, code = found.Codes[i] + 32;
            block->Nibbles[64 * n + 32 * (k % 2) + l] |= (byte)((code & 15) << k / 2 * 4);
            block->UpperBits[32 * n + l] |= (byte)(code >> 4 << 2 * k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ6_K* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackK.Q6_K(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ6_K* block) => block->Scale.IsFinite;
}
