using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q2_0: value = (code - 1) * scale with levels -1, 0, 1 and 2; four codes a byte, lowest bits first.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ2_0 : IQuantizedBlock<BlockQ2_0>
{
    public HalfScale Scale;
    public fixed byte Codes[16];

    public static FormatTraits Traits => new("q2_0", TypeId: 42, BlockLength: 64, BlockBytes: 18, GroupLength: 32);

    public static void Unpack(BlockQ2_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = scales[1] = block->Scale.Value;
        for (int i = 0; i < 64; i++)
            codes[i] = (sbyte)((block->Codes[i / 4] >> i % 4 * 2 & 3) - 1);
    }

    /// <summary>The scale is the largest magnitude, so level 2 is never used; halves are rounded away from zero.</summary>
    public static void Encode(float* values, float* importance, BlockQ2_0* block)
    {
        float scale = Rounding.LargestMagnitude(values, 64);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        new Span<byte>(block->Codes, 16).Clear();
        for (int i = 0; i < 64; i++)
            block->Codes[i / 4] |= (byte)(Rounding.HalfAwayFromZero(values[i] * inverse, -1, 1) + 1 << i % 4 * 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ2_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackTernary.Q2_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ2_0* block) => block->Scale.IsFinite;
}
