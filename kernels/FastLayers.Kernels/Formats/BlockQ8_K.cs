using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q8_K: value = code * scale with a float32 scale, and the sums of every 16 codes, which products with the K formats need.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ8_K : IQuantizedBlock<BlockQ8_K>
{
    public float Scale;
    public fixed sbyte Codes[256];
    public fixed short Sums[16];

    public static FormatTraits Traits => new("q8_k", TypeId: 15, BlockLength: 256, BlockBytes: 292, GroupLength: 32);

    public static void Unpack(BlockQ8_K* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 8; g++)
            scales[g] = block->Scale;
        for (int j = 0; j < 256; j++)
            codes[j] = block->Codes[j];
    }

    /// <summary>The value of largest magnitude becomes -127 exactly; halves are rounded to even.</summary>
    public static void Encode(float* values, float* importance, BlockQ8_K* block)
    {
        float extreme = Rounding.OfLargestMagnitude(values, 256);
        // Not finite where all values are 0 or the extreme one is too small for a scale.
        float inverse = -127 / extreme;
        if (!float.IsFinite(inverse))
            inverse = 0;
        block->Scale = Rounding.InverseOrZero(inverse);
        for (int j = 0; j < 256; j += 32)
            Rounding.HalfToEvenToBytes(values + j, inverse, block->Codes + j);
        for (int g = 0; g < 16; g++)
        {
            int sum = 0;
            for (int j = 16 * g; j < 16 * g + 16; j++)
                sum += block->Codes[j];
            block->Sums[g] = (short)sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ8_K* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackBytes.Q8_K(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ8_K* block) => float.IsFinite(block->Scale);
}
