using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q4_1: value[j] = low nibble of byte j * scale + offset, value[j + 16] = high nibble * scale + offset.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ4_1 : IQuantizedBlock<BlockQ4_1>
{
    public HalfScale Scale;
    public HalfScale Offset;
    public fixed byte Nibbles[16];

    public static FormatTraits Traits => new("q4_1", TypeId: 3, BlockLength: 32, BlockBytes: 20, GroupLength: 32, HasMinimums: true);

    public static void Unpack(BlockQ4_1* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        minimums[0] = -block->Offset.Value;
        for (int j = 0; j < 16; j++)
        {
            codes[j] = (sbyte)(block->Nibbles[j] & 15);
            codes[j + 16] = (sbyte)(block->Nibbles[j] >> 4);
        }
    }

    /// <summary>The range of the values is divided into 15 equal steps. With importance weights the best scale and offset are searched for.</summary>
    public static void Encode(float* values, float* importance, BlockQ4_1* block)
    {
        (float scale, float lowest) = AffineSearch.FixedOrBest(15, values, importance, 32);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        block->Offset = HalfScale.From(lowest);
        for (int j = 0; j < 16; j++)
        {
            int low = Rounding.Truncate((values[j] - lowest) * inverse + 0.5f, 0, 15);
            int high = Rounding.Truncate((values[j + 16] - lowest) * inverse + 0.5f, 0, 15);
            block->Nibbles[j] = (byte)(low | high << 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ4_1* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackNibbles.Q4_1(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ4_1* block) => block->Scale.IsFinite && block->Offset.IsFinite;
}
