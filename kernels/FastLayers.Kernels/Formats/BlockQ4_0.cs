using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>Q4_0: value[j] = (low nibble of byte j - 8) * scale, value[j + 16] = (high nibble - 8) * scale.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockQ4_0 : IQuantizedBlock<BlockQ4_0>
{
    public HalfScale Scale;
    public fixed byte Nibbles[16];

    public static FormatTraits Traits => new("q4_0", TypeId: 2, BlockLength: 32, BlockBytes: 18, GroupLength: 32);

    public static void Unpack(BlockQ4_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        for (int j = 0; j < 16; j++)
        {
            codes[j] = (sbyte)((block->Nibbles[j] & 15) - 8);
            codes[j + 16] = (sbyte)((block->Nibbles[j] >> 4) - 8);
        }
    }

    /// <summary>The value of largest magnitude becomes code -8 exactly; codes are truncated after adding 8.5. With importance weights the best scale is searched for.</summary>
    public static void Encode(float* values, float* importance, BlockQ4_0* block)
    {
        float scale = SymmetricSearch.FixedOrBestScale(new WholeGrid(-8, 7), values, importance, 32);
        float inverse = Rounding.InverseOrZero(scale);
        block->Scale = HalfScale.From(scale);
        for (int j = 0; j < 16; j++)
        {
            int low = Rounding.Truncate(values[j] * inverse + 8.5f, 0, 15);
            int high = Rounding.Truncate(values[j + 16] * inverse + 8.5f, 0, 15);
            block->Nibbles[j] = (byte)(low | high << 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockQ4_0* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackNibbles.Q4_0(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockQ4_0* block) => block->Scale.IsFinite;
}
