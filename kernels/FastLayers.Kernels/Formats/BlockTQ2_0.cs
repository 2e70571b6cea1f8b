using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>TQ2_0: value = (code - 1) * scale; byte 32g + m holds values 128g + m, + 32, + 64 and + 96, lowest bits first.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockTQ2_0 : IQuantizedBlock<BlockTQ2_0>
{
    public fixed byte Codes[64];
    public HalfScale Scale;

    public static FormatTraits Traits => new("tq2_0", TypeId: 35, BlockLength: 256, BlockBytes: 66, GroupLength: 32);

    public static void Unpack(BlockTQ2_0* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 8; g++)
            scales[g] = block->Scale.Value;
        for (int i = 0; i < 256; i++)
            codes[i] = (sbyte)((block->Codes[ByteOf(i)] >> ShiftOf(i) & 3) - 1);
    }

    /// <summary>The scale is the largest magnitude; halves are rounded away from zero.</summary>
    public static void Encode(float* values, float* importance, BlockTQ2_0* block)
    {
        float scale = Rounding.LargestMagnitude(values, 256);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        new Span<byte>(block->Codes, 64).Clear();
        for (int i = 0; i < 256; i++)
            block->Codes[ByteOf(i)] |= (byte)(Rounding.HalfAwayFromZero(values[i] * inverse, -1, 1) + 1 << ShiftOf(i));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockTQ2_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackTernary.TQ2_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockTQ2_0* block) => block->Scale.IsFinite;

    private static int ByteOf(int i) => i / 128 * 32 + i % 32;

    private static int ShiftOf(int i) => i / 32 % 4 * 2;
}
