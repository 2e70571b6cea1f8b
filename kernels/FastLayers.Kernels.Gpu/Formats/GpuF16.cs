using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>F16 by bit operations: not every device has the type. No step is a subnormal float, which not every device has either.</summary>
internal readonly struct GpuF16 : IGpuHalf
{
    /// <summary>2^-14, the smallest half that is not subnormal.</summary>
    private const float SmallestNormal = 6.103515625e-5f;

    public bool IsExactInBF16 => false;

    public float Load(ushort element) => ToFloat(element);

    public ushort Store(float value) => FromFloat(value);

    public static float ToFloat(int bits)
    {
        // The bits at their places in a float, and the exponent 112 larger.
        int magnitude = (bits & 0x7FFF) << 13;
        int result = magnitude + 0x38000000;
        if (magnitude >= 0x0F800000) result = magnitude | 0x7F800000;

        // A subnormal half: as the mantissa of 2^-14 and more, less what is too much.
        if (magnitude < 0x00800000) result = (int)Interop.FloatAsInt(Interop.IntAsFloat((uint)(result + 0x00800000)) - SmallestNormal);
        return Interop.IntAsFloat((uint)(result | ((bits & 0x8000) << 16)));
    }

    public static ushort FromFloat(float value)
    {
        int bits = (int)Interop.FloatAsInt(value);
        int sign = (bits >> 16) & 0x8000;
        int magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) return (ushort)(sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));
        if (magnitude >= 0x477FF000) return (ushort)(sign | 0x7C00);
        if (magnitude >= 0x38800000)
        {
            // Round to even at bit 13, and take 112 off the exponent.
            int rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
            return (ushort)(sign | ((rounded - 0x38000000) >> 13));
        }

        // A subnormal half: adding 0.5 leaves its bits, rounded to even, at the end of the mantissa.
        float shifted = Interop.IntAsFloat((uint)magnitude) + 0.5f;
        return (ushort)(sign | ((int)Interop.FloatAsInt(shifted) - 0x3F000000));
    }
}
