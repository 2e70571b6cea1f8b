using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Formats;

/// <summary>The roundings that encoders name: each format fixes one.</summary>
internal static unsafe class Rounding
{
    /// <summary>To the nearest whole number, halves away from zero, limited to a range; a NaN gives 0 or the nearer limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HalfAwayFromZero(float x, int lowest, int highest) =>
        Math.Clamp((int)MathF.Round(x, MidpointRounding.AwayFromZero), lowest, highest);

    /// <summary>To the nearest whole number, halves to even, limited to a range; a NaN gives 0 or the nearer limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HalfToEven(float x, int lowest, int highest) => Math.Clamp((int)MathF.Round(x), lowest, highest);

    /// <summary>Towards zero, limited to a range; a NaN gives 0 or the nearer limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Truncate(float x, int lowest, int highest) => Math.Clamp((int)x, lowest, highest);

    /// <summary>1/x, and 0 where that is not finite: for 0, for the smallest subnormals and for a NaN.</summary>
    public static float InverseOrZero(float x) => float.IsFinite(1 / x) ? 1 / x : 0;

    /// <summary>The largest magnitude of <paramref name="count"/> values, a multiple of 8.</summary>
    public static float LargestMagnitude(float* x, int count)
    {
        Vector256<float> largest = default;
        for (int i = 0; i < count; i += 8)
            largest = Vector256.MaxNative(largest, Vector256.Abs(Vector256.Load(x + i)));
        Vector128<float> four = Vector128.Max(largest.GetLower(), largest.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    /// <summary>The first value, with its sign, of the largest magnitude; 0 if all are 0. The count is a multiple of 8.</summary>
    public static float OfLargestMagnitude(float* x, int count)
    {
        Vector256<float> largest = Vector256.Create(LargestMagnitude(x, count));
        for (int i = 0; i < count; i += 8)
        {
            uint equal = Vector256.Equals(Vector256.Abs(Vector256.Load(x + i)), largest).ExtractMostSignificantBits();
            if (equal != 0)
                return x[i + BitOperations.TrailingZeroCount(equal)];
        }
        return 0;
    }

    /// <summary>
    /// Writes <c>x * factor</c> for 32 values, rounded to the nearest whole number, halves away from zero, and limited to -127 to 127.
    /// Returns the sum of the codes.
    /// </summary>
    public static int HalfAwayFromZeroToBytes(float* x, float factor, sbyte* codes) => ToBytes(x, factor, halvesAway: true, codes);

    /// <summary>As <see cref="HalfAwayFromZeroToBytes"/>, but halves are rounded to even.</summary>
    public static int HalfToEvenToBytes(float* x, float factor, sbyte* codes) => ToBytes(x, factor, halvesAway: false, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ToBytes(float* x, float factor, bool halvesAway, sbyte* codes)
    {
        Vector256<int> first = ToWhole(x, factor, halvesAway), second = ToWhole(x + 8, factor, halvesAway);
        Vector256<int> third = ToWhole(x + 16, factor, halvesAway), fourth = ToWhole(x + 24, factor, halvesAway);
        Vector256.Narrow(Vector256.Narrow(first, second), Vector256.Narrow(third, fourth)).Store(codes);
        return Vector256.Sum(first + second + (third + fourth));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> ToWhole(float* x, float factor, bool halvesAway)
    {
        Vector256<float> exact = Vector256.Load(x) * factor, whole = Vector256.Round(exact);
        if (halvesAway)
        {
            // Rounding to even leaves a half towards the value's own sign only where it went towards zero.
            Vector256<float> sign = exact & Vector256.Create(-0f);
            Vector256<float> towardsZero = Vector256.Equals(exact - whole, sign | Vector256.Create(0.5f));
            whole += towardsZero & (sign | Vector256.Create(1f));
        }
        return Vector256.ConvertToInt32Native(Vector256.MinNative(Vector256.MaxNative(whole, Vector256.Create(-127f)), Vector256.Create(127f)));
    }

    /// <summary>The smallest and the largest value.</summary>
    public static (float Lowest, float Highest) Range(float* x, int count)
    {
        float lowest = float.MaxValue, highest = float.MinValue;
        for (int i = 0; i < count; i++)
        {
            if (x[i] < lowest)
                lowest = x[i];
            if (x[i] > highest)
                highest = x[i];
        }
        return (lowest, highest);
    }
}
