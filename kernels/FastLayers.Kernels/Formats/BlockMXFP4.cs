using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>
/// MXFP4: value = E2M1 float * 2^(exponent - 127), low nibbles first half. As codes are twice the float, the scale is 2^(exponent - 128).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal unsafe struct BlockMXFP4 : IQuantizedBlock<BlockMXFP4>
{
    private const int LargestFloatExponent = 2; // the largest E2M1 float is 6 = 1.5 * 2^2

    public byte Exponent;
    public fixed byte Nibbles[16];

    public static FormatTraits Traits => new("mxfp4", TypeId: 39, BlockLength: 32, BlockBytes: 17, GroupLength: 32);

    /// <summary>2^(exponent - 128); the two smallest are subnormal float32.</summary>
    public static float ScaleOf(byte exponent) =>
        BitConverter.UInt32BitsToSingle(exponent < 2 ? 0x0020_0000u << exponent : (uint)(exponent - 1) << 23);

    public static void Unpack(BlockMXFP4* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = ScaleOf(block->Exponent);
        for (int j = 0; j < 16; j++)
        {
            codes[j] = E2M1.Codes[block->Nibbles[j] & 15];
            codes[j + 16] = E2M1.Codes[block->Nibbles[j] >> 4];
        }
    }

    /// <summary>The exponent of the largest magnitude becomes the exponent of the largest E2M1 float.</summary>
    public static void Encode(float* values, float* importance, BlockMXFP4* block)
    {
        float largest = Rounding.LargestMagnitude(values, 32);
        block->Exponent = largest > 0 ? (byte)Math.Clamp((int)MathF.Floor(MathF.Log2(largest)) - LargestFloatExponent + 127, 0, 254) : (byte)0;
        float scale = ScaleOf(block->Exponent);
        for (int j = 0; j < 16; j++)
            block->Nibbles[j] = (byte)(E2M1.Nearest(values[j], scale) | E2M1.Nearest(values[j + 16], scale) << 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UnpackVectorized(BlockMXFP4* block, sbyte* codes, float* scales, float* minimums) =>
        UnpackLevels.MXFP4(block, codes, scales, minimums);

    public static bool HasFiniteScales(BlockMXFP4* block) => block->Exponent != 255;
}
