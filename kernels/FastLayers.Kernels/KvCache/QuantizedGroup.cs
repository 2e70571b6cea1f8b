using System.Runtime.Intrinsics;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Eight values at a time: parameters and codes as <see cref="QuantizedCacheReference"/> defines them. A quotient computed in float32 can lie on
/// the wrong side of a border between two codes; the borders themselves, (code ± ½) · scale, are exact in float32, since a half has 11
/// significant bits and code ± ½ at most 9. So the rounded quotient is compared with them and moved by one where needed.
/// </summary>
internal static unsafe class QuantizedGroup
{
    private const uint Broken = 0x7E00u << 16;

    /// <summary>The parameter word for groups with smallest value <paramref name="lo"/> and largest <paramref name="hi"/>.</summary>
    /// <param name="lo">Smallest value.</param>
    /// <param name="hi">Largest value.</param>
    /// <param name="finite">Whether all values are finite.</param>
    /// <param name="bits">2, 4 or 8.</param>
    /// <param name="minimum">The stored minimum.</param>
    /// <param name="scale">The stored scale; 0 means that all codes are 0.</param>
    public static uint Parameters(float lo, float hi, bool finite, int bits, out float minimum, out float scale)
    {
        ushort low = HalfPrecision.EncodeF16(lo == 0 ? 0f : lo);
        ushort step = HalfPrecision.EncodeF16((hi - lo) * (1f / ((1 << bits) - 1)));
        minimum = HalfPrecision.DecodeF16(low);
        scale = HalfPrecision.DecodeF16(step);
        if (finite && float.IsFinite(minimum) && float.IsFinite(scale)) return step | ((uint)low << 16);
        scale = 0;
        return Broken;
    }

    /// <summary>Smallest and largest of <paramref name="count"/> values.</summary>
    /// <returns>Whether all are finite.</returns>
    public static bool Range(float* x, int count, out float lo, out float hi)
    {
        lo = hi = x[0];
        int i = 0;
        bool finite = true;
        if (count >= Vector256<float>.Count)
        {
            Vector256<float> least = Vector256.Load(x), most = least, zeros = Vector256<float>.Zero;
            for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                var value = Vector256.Load(x + i);
                least = Vector256.MinNative(least, value);
                most = Vector256.MaxNative(most, value);
                zeros += value * Vector256<float>.Zero; // NaN for infinities and NaN
            }

            finite = Vector256.EqualsAll(zeros, Vector256<float>.Zero);
            for (int lane = 0; lane < Vector256<float>.Count; lane++)
            {
                lo = Math.Min(lo, least[lane]);
                hi = Math.Max(hi, most[lane]);
            }
        }

        for (; i < count; i++)
        {
            finite &= float.IsFinite(x[i]);
            lo = Math.Min(lo, x[i]);
            hi = Math.Max(hi, x[i]);
        }

        return finite;
    }

    /// <summary>Codes of eight values with parameters each.</summary>
    public static Vector256<int> Codes(Vector256<float> x, Vector256<float> minimum, Vector256<float> scale, int levels)
    {
        var t = x - minimum;
        var zero = Vector256<float>.Zero;
        var top = Vector256.Create((float)levels);
        var one = Vector256.Create(1f);
        var usable = Vector256.GreaterThan(scale, zero);
        var code = Vector256.Min(Vector256.Max(Vector256.Round(t / Vector256.ConditionalSelect(usable, scale, one)), zero), top);
        var odd = ~Vector256.Equals(Vector256.ConvertToInt32(code) & Vector256<int>.One, Vector256<int>.Zero).AsSingle();
        var above = (code + Vector256.Create(0.5f)) * scale;
        var below = (code - Vector256.Create(0.5f)) * scale;
        var up = Vector256.GreaterThan(t, above) | (Vector256.Equals(t, above) & odd);
        var down = Vector256.LessThan(t, below) | (Vector256.Equals(t, below) & odd);
        code = code + (up & one) - (down & one);
        code = Vector256.Min(Vector256.Max(code, zero), top);
        return Vector256.ConvertToInt32(code & usable);
    }
}
