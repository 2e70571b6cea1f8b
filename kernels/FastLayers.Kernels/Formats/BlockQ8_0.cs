using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q8_0: value = code * scale.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ8_0 : IQuantizedBlock<BlockQ8_0>
{
    public HalfScale Scale;
    public fixed sbyte Codes[32];

    public static FormatTraits Traits => new("q8_0", TypeId: 8, BlockLength: 32, BlockBytes: 34, GroupLength: 32);

    public static void Unpack(BlockQ8_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        for (int j = 0; j < 32; j++)
            codes[j] = block->Codes[j];
    }

    /// <summary>The largest magnitude becomes 127; halves are rounded away from zero.</summary>
    public static void Encode(float* values, float* importance, BlockQ8_0* block)
    {
        float scale = Rounding.LargestMagnitude(values, 32) / 127;
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        Rounding.HalfAwayFromZeroToBytes(values, inverse, block->Codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ8_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackBytes.Q8_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ8_0* block) => block->Scale.IsFinite;
}
