namespace FastLayers.Kernels.Formats;

/// <summary>The 4-bit float of MXFP4 and NVFP4: 1 sign, 2 exponent bits, 1 fraction bit. Codes are twice its value, which makes them whole numbers.</summary>
internal static class E2M1
{
    /// <summary>Twice the value of each nibble.</summary>
    public static ReadOnlySpan<sbyte> Codes => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    private const int FirstNegative = 9; // nibble 8 is minus zero

    /// <summary>The nibble whose code times the scale is nearest to the value; of equally near ones the first.</summary>
    public static int Nearest(float value, float scale)
    {
        int best = 0;
        float bestDistance = MathF.Abs(Codes[0] * scale - value);
        int first = value < 0 ? FirstNegative : 1;
        for (int nibble = first; nibble < first + 7; nibble++)
        {
            float distance = MathF.Abs(Codes[nibble] * scale - value);
            if (distance < bestDistance)
                (best, bestDistance) = (nibble, distance);
        }
        return best;
    }
}
