using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Parameters and codes as <see cref="Kernels.KvCache.QuantizedCacheReference"/> defines them.</summary>
internal static class QuantizedWord
{
    private const int Broken = 0x7E00 << 16;

    public static float Scale(int parameters) => GpuF16.ToFloat(parameters & 0xFFFF);

    public static float Minimum(int parameters) => GpuF16.ToFloat((parameters >> 16) & 0xFFFF);

    /// <summary>Whether a value is neither infinite nor NaN.</summary>
    public static bool IsFinite(float value) => ((int)Interop.FloatAsInt(value) & 0x7FFFFFFF) < 0x7F800000;

    /// <summary>The parameter word of a group.</summary>
    /// <param name="lo">Smallest value.</param>
    /// <param name="hi">Largest value.</param>
    /// <param name="finite">Not 0 if all values are finite.</param>
    /// <param name="bits">2, 4 or 8.</param>
    public static int Parameters(float lo, float hi, int finite, int bits)
    {
        float reciprocal = bits == 2 ? 1f / 3 : bits == 4 ? 1f / 15 : 1f / 255;
        int minimum = GpuF16.FromFloat(lo == 0 ? 0f : lo);
        int scale = GpuF16.FromFloat((hi - lo) * reciprocal);
        return finite == 0 || (minimum & 0x7C00) == 0x7C00 || (scale & 0x7C00) == 0x7C00 ? Broken : scale | (minimum << 16);
    }

    /// <summary>
    /// The code of a value. Division need not be exact on a device, but the borders between codes, (code ± ½) · scale, are: the quotient is
    /// compared with them.
    /// </summary>
    public static int Code(float x, float minimum, float scale, int levels)
    {
        if (!(scale > 0)) return 0;
        float t = x - minimum;
        float quotient = t / scale;
        int code = quotient <= 0 ? 0 : quotient >= levels ? levels : (int)(quotient + 0.5f);
        float above = (code + 0.5f) * scale;
        float below = (code - 0.5f) * scale;
        int odd = code & 1;
        if (t > above || (t == above && odd != 0)) code++;
        else if (t < below || (t == below && odd != 0)) code--;
        return code < 0 ? 0 : code > levels ? levels : code;
    }
}
