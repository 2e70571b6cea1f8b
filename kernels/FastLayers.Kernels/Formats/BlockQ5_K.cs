using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q5_K: as Q4_K, with a fifth bit for each code: that of value 32g + l is bit g of byte l of <see cref="FifthBits"/>.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ5_K : IQuantizedBlock<BlockQ5_K>
{
    public HalfScale Scale;
    public HalfScale Minimum;
    public fixed byte Scales[12];
    public fixed byte FifthBits[32];
    public fixed byte Nibbles[128];

    public static FormatTraits Traits => new("q5_k", TypeId: 13, BlockLength: 256, BlockBytes: 176, GroupLength: 32, HasMinimums: true);

    public static void Unpack(BlockQ5_K* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 8; g++)
        {
            (int scale, int minimum) = SixBitScales.Get(block->Scales, g);
            scales[g] = block->Scale.Value * scale;
            minimums[g] = block->Minimum.Value * minimum;
            for (int l = 0; l < 32; l++)
                codes[32 * g + l] = (sbyte)(block->Nibbles[g / 2 * 32 + l] >> g % 2 * 4 & 15 | (block->FifthBits[l] >> g & 1) << 4);
        }
    }

    public static void Encode(float* values, float* importance, BlockQ5_K* block)
    {
        AffineBlock found = AffineSearch.Encode(highest: 31, highestScale: 63, groupLength: 32, values, importance);
        *block = default;
        (block->Scale, block->Minimum) = (found.Scale, found.Minimum);
        SixBitScales.Set(block->Scales, new ReadOnlySpan<byte>(found.Scales, 8), new ReadOnlySpan<byte>(found.Minimums, 8));
        for (int i = 0; i < 256; i++)
        {
            block->Nibbles[i / 64 * 32 + i % 32] |= (byte)((found.Codes[i] & 15) << i / 32 % 2 * 4);
            block->FifthBits[i % 32] |= (byte)(found.Codes[i] >> 4 << i / 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ5_K* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackK.Q5_K(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ5_K* block) => block->Scale.IsFinite && block->Minimum.IsFinite;
}
