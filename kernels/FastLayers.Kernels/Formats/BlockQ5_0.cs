using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// Q5_0: value = (nibble + 16 * bit - 16) * scale. Value j has the low nibble of byte j and bit j, value j + 16 the high nibble and bit j + 16.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ5_0 : IQuantizedBlock<BlockQ5_0>
{
    public HalfScale Scale;
    public uint FifthBits;
    public fixed byte Nibbles[16];

    public static FormatTraits Traits => new("q5_0", TypeId: 6, BlockLength: 32, BlockBytes: 22, GroupLength: 32);

    public static void Unpack(BlockQ5_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        uint bits = block->FifthBits;
        for (int j = 0; j < 16; j++)
        {
            codes[j] = (sbyte)((block->Nibbles[j] & 15 | (int)(bits >> j & 1) << 4) - 16);
            codes[j + 16] = (sbyte)((block->Nibbles[j] >> 4 | (int)(bits >> j + 16 & 1) << 4) - 16);
        }
    }

    /// <summary>The value of largest magnitude becomes code -16 exactly; codes are truncated after adding 16.5. With importance weights the best scale is searched for.</summary>
    public static void Encode(float* values, float* importance, BlockQ5_0* block)
    {
        float scale = SymmetricSearch.FixedOrBestScale(new WholeGrid(-16, 15), values, importance, 32);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        uint bits = 0;
        for (int j = 0; j < 16; j++)
        {
            int low = Rounding.Truncate(values[j] * inverse + 16.5f, 0, 31);
            int high = Rounding.Truncate(values[j + 16] * inverse + 16.5f, 0, 31);
            block->Nibbles[j] = (byte)(low & 15 | high << 4);
            bits |= (uint)(low >> 4) << j | (uint)(high >> 4) << j + 16;
        }
        block->FifthBits = bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ5_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackNibbles.Q5_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ5_0* block) => block->Scale.IsFinite;
}
