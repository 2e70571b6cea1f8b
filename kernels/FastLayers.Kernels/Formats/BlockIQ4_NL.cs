using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>IQ4_NL: value[j] = level of the low nibble of byte j * scale, value[j + 16] = level of the high nibble * scale.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockIQ4_NL : IQuantizedBlock<BlockIQ4_NL>
{
    public HalfScale Scale;
    public fixed byte Nibbles[16];

    public static FormatTraits Traits => new("iq4_nl", TypeId: 20, BlockLength: 32, BlockBytes: 18, GroupLength: 32);

    public static void Unpack(BlockIQ4_NL* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        for (int j = 0; j < 16; j++)
        {
            codes[j] = UnevenLevels.Codes[block->Nibbles[j] & 15];
            codes[j + 16] = UnevenLevels.Codes[block->Nibbles[j] >> 4];
        }
    }

    public static void Encode(float* values, float* importance, BlockIQ4_NL* block)
    {
        float* ones = stackalloc float[32];
        UnevenGrid grid = new();
        block->Scale = HalfScale.From(SymmetricSearch.BestScale(grid, values, GroupFit.WeightsOrOnes(importance, ones, 32), 32));
        sbyte* codes = stackalloc sbyte[32];
        SymmetricSearch.StoreCodes(grid, values, 32, block->Scale.Value, codes);
        for (int j = 0; j < 16; j++)
            block->Nibbles[j] = (byte)(UnevenLevels.NibbleOf(codes[j]) | UnevenLevels.NibbleOf(codes[j + 16]) << 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockIQ4_NL* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackLevels.IQ4_NL(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockIQ4_NL* block) => block->Scale.IsFinite;
}
