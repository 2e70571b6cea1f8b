namespace FastLayers.Kernels.Formats;

/// <summary>The sixteen levels of IQ4_NL and IQ4_XS: denser around zero, where weights are.</summary>
internal static class UnevenLevels
{
    /// <summary>Code of each nibble, in rising order.</summary>
    public static ReadOnlySpan<sbyte> Codes => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>The nibble of a code that is one of the levels.</summary>
    public static int NibbleOf(sbyte code) => Codes.BinarySearch(code);
}
