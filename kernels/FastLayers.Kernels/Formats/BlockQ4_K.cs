using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q4_K: value = block scale * 6-bit scale * nibble - block minimum * 6-bit minimum, for groups of 32. Byte 32p + l holds value
/// 64p + l in its low and value 64p + 32 + l in its high nibble.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ4_K : IQuantizedBlock<BlockQ4_K>
{
    public HalfScale Scale;
    public HalfScale Minimum;
    public fixed byte Scales[12];
    public fixed byte Nibbles[128];

    public static FormatTraits Traits => new("q4_k", TypeId: 12, BlockLength: 256, BlockBytes: 144, GroupLength: 32, HasMinimums: true);

    public static void Unpack(BlockQ4_K* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 8; g++)
        {
            (int scale, int minimum) = SixBitScales.Get(block->Scales, g);
            scales[g] = block->Scale.Value * scale;
            minimums[g] = block->Minimum.Value * minimum;
            for (int l = 0; l < 32; l++)
                codes[32 * g + l] = (sbyte)(block->Nibbles[g / 2 * 32 + l] >> g % 2 * 4 & 15);
        }
    }

    public static void Encode(float* values, float* importance, BlockQ4_K* block)
    {
        AffineBlock found = AffineSearch.Encode(highest: 15, highestScale: 63, groupLength: 32, values, importance);
        *block = default;
        (block->Scale, block->Minimum) = (found.Scale, found.Minimum);
        SixBitScales.Set(block->Scales, new ReadOnlySpan<byte>(found.Scales, 8), new ReadOnlySpan<byte>(found.Minimums, 8));
        for (int i = 0; i < 256; i++)
            block->Nibbles[i / 64 * 32 + i % 32] |= (byte)(found.Codes[i] << i / 32 % 2 * 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ4_K* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackK.Q4_K(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ4_K* block) => block->Scale.IsFinite && block->Minimum.IsFinite;
}
