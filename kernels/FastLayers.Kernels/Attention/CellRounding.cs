using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Rounding of queries and weights to codes.</summary>
internal static unsafe class CellRounding
{
    /// <summary>What is smaller at its largest counts as zero: its share in a result is far below that of a float's last bit, and its inverse would overflow.</summary>
    private const float Smallest = 1e-30f;

    /// <summary>The factor that takes a largest magnitude to the largest code, and its inverse.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Factor(float largest, float largestCode, out float unit)
    {
        unit = largest / largestCode;
        return largest < Smallest ? 0 : largestCode / largest;
    }

    /// <summary>The largest magnitude of a block of a query.</summary>
    public static float LargestOfBlock(float* values)
    {
        var largest = Vector256<float>.Zero;
        for (int i = 0; i < CachedRow.BlockLength; i += Vector256<float>.Count) largest = Vector256.MaxNative(largest, Vector256.Abs(Vector256.Load(values + i)));
        return Largest(largest);
    }

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> values)
    {
        var four = Sse.Max(values.GetLower(), values.GetUpper());
        var two = Sse.Max(four, Sse.MoveHighToLow(four, four));
        return Sse.MaxScalar(two, Sse.Shuffle(two, two, 1)).ToScalar();
    }

    /// <summary>Sixteen values times a factor as codes, in their order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Sixteen(Vector256<float> lower, Vector256<float> upper, Vector256<float> factor) =>
        Avx2.Permute4x64(Avx2.PackSignedSaturate(Avx.ConvertToVector256Int32(lower * factor), Avx.ConvertToVector256Int32(upper * factor)).AsInt64(), 0b11_01_10_00).AsInt16();
}
