namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>The codes of nibbles that are not numbers themselves, for the low nibbles of the four bytes of an integer at once.</summary>
internal static class NibbleLevels
{
    // The sixteen levels of IQ4_NL and IQ4_XS, a byte each.
    private const long LowerLevels = unchecked((long)0xF6EA_DDCF_BFAD_9881);
    private const long UpperLevels = 0x7159_4535_2619_0D01;

    /// <summary>The levels of IQ4_NL and IQ4_XS.</summary>
    public static int Uneven(int nibbles) =>
        Level(nibbles) | (Level(nibbles >> 8) << 8) | (Level(nibbles >> 16) << 16) | (Level(nibbles >> 24) << 24);

    /// <summary>Twice the 4-bit floats of MXFP4 and NVFP4: 1 sign, 2 exponent bits, 1 fraction bit.</summary>
    public static int E2M1(int nibbles)
    {
        // With an exponent the fraction has a leading one; each step of the exponent after the first doubles the value.
        int upper = (nibbles >> 2) & 0x01010101;
        int highest = (nibbles >> 1) & upper;
        int magnitude = (nibbles & 0x03030303) | (upper << 1);
        magnitude += magnitude & (upper * 3);
        magnitude += magnitude & (highest * 7);
        int negative = magnitude & (((nibbles >> 3) & 0x01010101) * 15);

        // Unsigned and checked for the reason that PackedBytes.SubtractEach states.
        uint difference = checked(((uint)magnitude | 0x80808080) - (uint)(negative << 1));
        return (int)(difference ^ 0x80808080);
    }

    private static int Level(int nibble) => (int)(((nibble & 8) != 0 ? UpperLevels : LowerLevels) >> ((nibble & 7) * 8)) & 0xFF;
}
