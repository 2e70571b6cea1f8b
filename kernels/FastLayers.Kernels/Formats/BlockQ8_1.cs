using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q8_1: value = code * scale, and the sum of the codes times the scale, which a product with a format with minimums needs.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ8_1 : IQuantizedBlock<BlockQ8_1>
{
    public HalfScale Scale;
    public HalfScale ScaledSum;
    public fixed sbyte Codes[32];

    public static FormatTraits Traits => new("q8_1", TypeId: 9, BlockLength: 32, BlockBytes: 36, GroupLength: 32);

    public static void Unpack(BlockQ8_1* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        for (int j = 0; j < 32; j++)
            codes[j] = block->Codes[j];
    }

    /// <summary>As in Q8_0; the sum is multiplied by the scale before that is rounded.</summary>
    public static void Encode(float* values, float* importance, BlockQ8_1* block)
    {
        float scale = Rounding.LargestMagnitude(values, 32) / 127;
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        int sum = Rounding.HalfAwayFromZeroToBytes(values, inverse, block->Codes);
        block->ScaledSum = HalfScale.From(sum * scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ8_1* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackBytes.Q8_1(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ8_1* block) => block->Scale.IsFinite && block->ScaledSum.IsFinite;
}
