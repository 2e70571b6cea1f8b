using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// NVFP4: value = E2M1 float * UE4M3 scale of its 16 values; low nibbles are the first 8 of the 16. As codes are twice the float, scales are halved.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockNVFP4 : IQuantizedBlock<BlockNVFP4>
{
    private const float LargestFloat = 6;

    public fixed byte Scales[4];
    public fixed byte Nibbles[32];

    public static FormatTraits Traits => new("nvfp4", TypeId: 40, BlockLength: 64, BlockBytes: 36, GroupLength: 16);

    public static void Unpack(BlockNVFP4* block, sbyte* codes, float* scales, float* minimums)
    {
        for (int s = 0; s < 4; s++)
        {
            scales[s] = 0.5f * UE4M3.Decode(block->Scales[s]);
            for (int j = 0; j < 8; j++)
            {
                codes[16 * s + j] = E2M1.Codes[block->Nibbles[8 * s + j] & 15];
                codes[16 * s + j + 8] = E2M1.Codes[block->Nibbles[8 * s + j] >> 4];
            }
        }
    }

    /// <summary>The largest magnitude of 16 values becomes the largest E2M1 float, up to the rounding of the scale.</summary>
    public static void Encode(float* values, float* importance, BlockNVFP4* block)
    {
        for (int s = 0; s < 4; s++, values += 16)
        {
            block->Scales[s] = UE4M3.Encode(Rounding.LargestMagnitude(values, 16) / LargestFloat);
            float scale = 0.5f * UE4M3.Decode(block->Scales[s]);
            for (int j = 0; j < 8; j++)
                block->Nibbles[8 * s + j] = (byte)(E2M1.Nearest(values[j], scale) | E2M1.Nearest(values[j + 8], scale) << 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockNVFP4* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackLevels.NVFP4(block, codes, scales, minimums);

    /// <summary>Every byte is finite: 0x7F, the format's NaN, is defined to read as 0.</summary>
    public static bool HasFiniteScales(BlockNVFP4* block) => true;
}
