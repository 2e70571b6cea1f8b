namespace FastLayers.Kernels.Formats;

/// <summary>The unsigned 8-bit float of NVFP4 scales: 4 exponent bits (bias 7) and 3 fraction bits in the lower seven bits of a byte.</summary>
internal static class UE4M3
{
    private const int FractionBits = 3;
    private const int Bias = 7;
    private const byte LargestEncoded = 0x7E;

    /// <summary>The value; 0x7F, the format's NaN, reads as 0.</summary>
    public static float Decode(byte bits)
    {
        if (bits == 0x7F)
            return 0;
        int exponent = bits >> FractionBits & 15, fraction = bits & 7;
        return exponent == 0
            ? fraction * (1f / 512)
            : BitConverter.Int32BitsToSingle(exponent - Bias + 127 << 23 | fraction << 23 - FractionBits);
    }

    /// <summary>The nearest value, halves rounded up; everything that would need the highest exponent becomes 0x7E (448), and what is not positive 0.</summary>
    public static byte Encode(float value)
    {
        const float smallestNormal = 1f / 64;
        if (!(value > 0))
            return 0;
        if (value < smallestNormal)
            return (byte)Math.Min(7, (int)(value * 512 + 0.5f));
        // Adding half of the last kept bit lets the carry run into the exponent.
        uint rounded = BitConverter.SingleToUInt32Bits(value) + (1u << 22 - FractionBits) >> 23 - FractionBits;
        uint code = rounded - (127 - Bias << FractionBits);
        return code >= 15 << FractionBits ? LargestEncoded : (byte)code;
    }
}
