using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>Unpacking of formats that store codes as bytes: a copy.</summary>
internal static unsafe class UnpackBytes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q8_0(BlockQ8_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        Vector256.Load(block->Codes).Store(codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q8_1(BlockQ8_1* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = block->Scale.Value;
        Vector256.Load(block->Codes).Store(codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q8_K(BlockQ8_K* block, sbyte* codes, float* scales, float* minimums)
    {
        Vector256.Create(block->Scale).Store(scales);
        for (int i = 0; i < 256; i += 32)
            Vector256.Load(block->Codes + i).Store(codes + i);
    }
}
