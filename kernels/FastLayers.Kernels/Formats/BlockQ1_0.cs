using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q1_0: value j = bit j set ? scale : -scale, bits counted from the lowest of the first byte.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ1_0 : IQuantizedBlock<BlockQ1_0>
{
    public HalfScale Scale;
    public fixed byte Signs[16];

    public static FormatTraits Traits => new("q1_0", TypeId: 41, BlockLength: 128, BlockBytes: 18, GroupLength: 32);

    public static void Unpack(BlockQ1_0* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int g = 0; g < 4; g++)
            scales[g] = block->Scale.Value;
        for (int i = 0; i < 128; i++)
            codes[i] = (sbyte)(2 * (block->Signs[i / 8] >> i % 8 & 1) - 1);
    }

    /// <summary>The scale is the mean magnitude, which has the least squared error; values of zero count as positive.</summary>
    public static void Encode(float* values, float* importance, BlockQ1_0* block)
    {
        float sum = 0;
        for (int i = 0; i < 128; i++)
            sum += MathF.Abs(values[i]);
        block->Scale = HalfScale.From(sum / 128);
        new Span<byte>(block->Signs, 16).Clear();
        for (int i = 0; i < 128; i++)
        {
            if (values[i] >= 0)
                block->Signs[i / 8] |= (byte)(1 << i % 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ1_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackTernary.Q1_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ1_0* block) => block->Scale.IsFinite;
}
