using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// TQ1_0: value = (trit - 1) * scale. A byte holds five trits as the fraction byte / 256 in base 3: digit n is the whole part of three
/// times what is left after n digits. Byte m of the first 32 holds values m + 32n, byte m of the next 16 values 160 + m + 16n,
/// byte m of the last 4 (four trits each) values 240 + m + 4n.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockTQ1_0 : IQuantizedBlock<BlockTQ1_0>
{
    private const int TritsInByte = 5;

    public fixed byte Packed[52];
    public HalfScale Scale;

    public static FormatTraits Traits => new("tq1_0", TypeId: 34, BlockLength: 256, BlockBytes: 54, GroupLength: 32);

    public static void Unpack(BlockTQ1_0* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 8; g++)
            scales[g] = block->Scale.Value;
        UnpackRun(block->Packed, 32, 5, codes);
        UnpackRun(block->Packed + 32, 16, 5, codes + 160);
        UnpackRun(block->Packed + 48, 4, 4, codes + 240);
    }

    /// <summary>The scale is the largest magnitude; halves are rounded away from zero.</summary>
    public static void Encode(float* values, float* importance, BlockTQ1_0* block)
    {
        float scale = Rounding.LargestMagnitude(values, 256);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        EncodeRun(values, inverse, 32, 5, block->Packed);
        EncodeRun(values + 160, inverse, 16, 5, block->Packed + 32);
        EncodeRun(values + 240, inverse, 4, 4, block->Packed + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockTQ1_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackTernary.TQ1_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockTQ1_0* block) => block->Scale.IsFinite;

    private static void UnpackRun(byte* bytes, int byteCount, int tritCount, sbyte* codes)
    {
        for (int m = 0; m < byteCount; m++)
        {
            int fraction = bytes[m];
            for (int n = 0; n < tritCount; n++)
            {
                fraction *= 3;
                codes[byteCount * n + m] = (sbyte)((fraction >> 8) - 1);
                fraction &= 255;
            }
        }
    }

    private static void EncodeRun(float* values, float inverse, int byteCount, int tritCount, byte* bytes)
    {
        for (int m = 0; m < byteCount; m++)
        {
            int number = 0;
            for (int n = 0; n < TritsInByte; n++)
                number = 3 * number + (n < tritCount ? Rounding.HalfAwayFromZero(values[byteCount * n + m] * inverse, -1, 1) + 1 : 0);
            // number / 243 as a fraction of 256, rounded up so that every digit comes back.
            bytes[m] = (byte)((number * 256 + 242) / 243);
        }
    }
}
