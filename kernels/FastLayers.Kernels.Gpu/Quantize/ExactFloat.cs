using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>Float arithmetic with the roundings of the CPU's encoders, which decide between two codes where a value lies half way.</summary>
internal static class ExactFloat
{
    private const int Magnitude = 0x7FFFFFFF;
    private const int Infinity = 0x7F800000;

    // 1.5 · 2^23: after it is added, the lowest bit of the mantissa counts ones.
    private const float ToWhole = 12582912f;

    /// <summary>
    /// The product, rounded by itself: compilers may fuse a product with an addition that follows and leave that rounding out, and cannot
    /// where its bits pass through an operation with a number that they do not know.
    /// </summary>
    /// <param name="a">One factor.</param>
    /// <param name="b">The other.</param>
    /// <param name="zero">0, from the arguments of the kernel.</param>
    public static float Product(float a, float b, int zero) => Interop.IntAsFloat(Interop.FloatAsInt(a * b) ^ (uint)zero);

    /// <summary>1/x, and 0 where that is not finite.</summary>
    public static float InverseOrZero(float x) => FiniteOrZero(1 / x);

    /// <summary>x, and 0 where it is infinite or not a number.</summary>
    public static float FiniteOrZero(float x) => MagnitudeBits(x) < Infinity ? x : 0;

    /// <summary>The bits of |x|, which are in the order of the magnitudes, infinity and then NaN on top.</summary>
    public static int MagnitudeBits(float x) => (int)Interop.FloatAsInt(x) & Magnitude;

    /// <summary>Whether bits are those of a finite magnitude.</summary>
    public static bool IsFinite(int magnitudeBits) => magnitudeBits < Infinity;

    /// <summary>The largest magnitude of the first <paramref name="count"/> values from <paramref name="start"/> on.</summary>
    public static float LargestMagnitude(ArrayView<float> x, int start, int count)
    {
        int largest = 0;
        for (int i = 0; i < count; i++)
        {
            int bits = MagnitudeBits(x[start + i]);
            largest = bits > largest ? bits : largest;
        }

        return Interop.IntAsFloat((uint)largest);
    }

    /// <summary>The first value, with its sign, of the largest magnitude.</summary>
    public static float OfLargestMagnitude(ArrayView<float> x, int count)
    {
        float best = x[0];
        for (int i = 1; i < count; i++)
        {
            float value = x[i];
            best = MagnitudeBits(value) > MagnitudeBits(best) ? value : best;
        }

        return best;
    }

    /// <summary>Towards zero, limited to a range.</summary>
    public static int Truncate(float x, int highest) => Limit((int)x, 0, highest);

    /// <summary>To the nearest whole number of a magnitude below 2^22, halves to even.</summary>
    public static int HalfToEven(float x) => (int)Interop.FloatAsInt(x + ToWhole) - (int)Interop.FloatAsInt(ToWhole);

    /// <summary>To the nearest whole number, halves away from zero, limited to -127 to 127.</summary>
    public static int HalfAwayFromZero(float x)
    {
        float magnitude = Interop.IntAsFloat((uint)MagnitudeBits(x));
        int whole = (int)magnitude;
        whole += magnitude - whole >= 0.5f ? 1 : 0;
        whole = whole > 127 ? 127 : whole;
        return x < 0 ? -whole : whole;
    }

    /// <summary>To -1, 0 or 1, halves away from zero, plus 1.</summary>
    public static int Trit(float x) => x >= 0.5f ? 2 : x <= -0.5f ? 0 : 1;

    /// <summary>The nearest number of a range.</summary>
    public static int Limit(int x, int lowest, int highest) => x < lowest ? lowest : x > highest ? highest : x;

    /// <summary>Stores a half at an even offset.</summary>
    public static void StoreHalf(ArrayView<byte> bytes, int offset, float value) => bytes.SubView(offset, 2).Cast<ushort>()[0] = GpuF16.FromFloat(value);
}
