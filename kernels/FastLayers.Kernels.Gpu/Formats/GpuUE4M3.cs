using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>The unsigned 8-bit float of NVFP4 scales: 4 exponent bits (bias 7) and 3 fraction bits in the lower seven bits of a byte.</summary>
internal static class GpuUE4M3
{
    /// <summary>The value; 0x7F, the format's NaN, reads as 0.</summary>
    public static float ToFloat(int bits)
    {
        int exponent = (bits >> 3) & 15;
        float normal = Interop.IntAsFloat((uint)(((exponent + 120) << 23) | ((bits & 7) << 20)));
        float value = exponent == 0 ? (bits & 7) * (1f / 512) : normal;
        return bits == 0x7F ? 0 : value;
    }

    /// <summary>The nearest value, halves rounded up; everything that would need the highest exponent becomes 0x7E (448), and what is not positive 0.</summary>
    public static int FromFloat(float value)
    {
        const float smallestNormal = 1f / 64;
        if (!(value > 0)) return 0;
        if (value < smallestNormal)
        {
            int fraction = (int)((value * 512) + 0.5f);
            return fraction > 7 ? 7 : fraction;
        }

        // Adding half of the last kept bit lets the carry run into the exponent.
        int code = (((int)Interop.FloatAsInt(value) + 0x0008_0000) >> 20) - (120 << 3);
        return code >= 15 << 3 ? 0x7E : code;
    }
}
