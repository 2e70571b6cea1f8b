using System.Numerics;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Formats;

namespace FastLayers.Loading;

/// <summary>Looks for infinities and NaN among stored floats: values whose exponent bits are all ones.</summary>
internal static class FloatValues
{
    private const uint F32Exponent = 0x7F80_0000;
    private const ushort F16Exponent = 0x7C00;
    private const ushort BF16Exponent = 0x7F80;

    /// <summary>Index of the first value that is no finite number; −1 if all are, or if the format does not store floats.</summary>
    /// <param name="format">F32, F16 or BF16; others have no such values.</param>
    /// <param name="bytes">Whole values.</param>
    public static int IndexOfNonFinite(Format format, ReadOnlySpan<byte> bytes) =>
        format == Format.F32 ? IndexOfExponent(MemoryMarshal.Cast<byte, uint>(bytes), F32Exponent)
        : format == Format.F16 ? IndexOfExponent(MemoryMarshal.Cast<byte, ushort>(bytes), F16Exponent)
        : format == Format.BF16 ? IndexOfExponent(MemoryMarshal.Cast<byte, ushort>(bytes), BF16Exponent)
        : -1;

    /// <summary>Whether a value that <see cref="IndexOfNonFinite"/> found is NaN rather than an infinity.</summary>
    public static bool IsNaN(Format format, ReadOnlySpan<byte> value)
    {
        Span<float> decoded = stackalloc float[1];
        format.Decode(value, decoded);
        return float.IsNaN(decoded[0]);
    }

    private static int IndexOfExponent<T>(ReadOnlySpan<T> values, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var ones = new Vector<T>(exponent);
        int i = 0;
        while (i <= values.Length - Vector<T>.Count && !Vector.EqualsAny(new Vector<T>(values[i..]) & ones, ones)) i += Vector<T>.Count;
        while (i < values.Length && (values[i] & exponent) != exponent) i++;
        return i < values.Length ? i : -1;
    }
}
