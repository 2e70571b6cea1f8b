using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q5_1: value = (nibble + 16 * bit) * scale + offset. Value j has the low nibble of byte j and bit j, value j + 16 the high nibble and bit j + 16.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ5_1 : IQuantizedBlock<BlockQ5_1>
{
    public HalfScale Scale;
    public HalfScale Offset;
    public uint FifthBits;
    public fixed byte Nibbles[16];

    public static FormatTraits Traits => new("q5_1", TypeId: 7, BlockLength: 32, BlockBytes: 24, GroupLength: 32, HasMinimums: true);

    public static void Unpack(BlockQ5_1* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        minimums[0] = -block->Offset.Value;
        uint bits = block->FifthBits;
        for (int j = 0; j < 16; j++)
        {
            codes[j] = (sbyte)(block->Nibbles[j] & 15 | (int)(bits >> j & 1) << 4);
            codes[j + 16] = (sbyte)(block->Nibbles[j] >> 4 | (int)(bits >> j + 16 & 1) << 4);
        }
    }

    /// <summary>The range of the values is divided into 31 equal steps. With importance weights the best scale and offset are searched for.</summary>
    public static void Encode(float* values, float* importance, BlockQ5_1* block)
    {
        (float scale, float lowest) = AffineSearch.FixedOrBest(31, values, importance, 32);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        block->Offset = HalfScale.From(lowest);
        uint bits = 0;
        for (int j = 0; j < 16; j++)
        {
            int low = Rounding.Truncate((values[j] - lowest) * inverse + 0.5f, 0, 31);
            int high = Rounding.Truncate((values[j + 16] - lowest) * inverse + 0.5f, 0, 31);
            block->Nibbles[j] = (byte)(low & 15 | high << 4);
            bits |= (uint)(low >> 4) << j | (uint)(high >> 4) << j + 16;
        }
        block->FifthBits = bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ5_1* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackNibbles.Q5_1(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ5_1* block) => block->Scale.IsFinite && block->Offset.IsFinite;
}
