using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Dequantize;

/// <summary>
/// Conversion between float32 and the two 16-bit floats: F16 (IEEE half: 1 sign, 5 exponent, 10 fraction bits) and BF16 (the upper half of a
/// float32). Reading is exact; writing rounds to nearest, ties to even. Rows give the same bits as single values.
/// </summary>
/// <remarks>
/// A half's exponent and fraction move to the float's fraction border; adding the difference of the exponent biases (112) then gives
/// the value of a normal half, and adding it twice keeps infinities and NaNs. A subnormal half is read as 2^-14 plus its value, from which
/// 2^-14 is taken away again: exact, and without subnormal float32 operands, which slow some processors down. Writing is the same backwards.
/// </remarks>
public static unsafe class HalfPrecision
{
    // Bits of float32 numbers.
    private const uint BiasDifference = 112u << 23;
    private const uint FloatInfinity = 0x7F800000;
    private const uint HalfOverflow = 0x47800000; // 65536
    private const uint HalfSmallestNormal = 0x38800000; // 2^-14
    private const uint OneHalf = 0x3F000000; // a fraction bit of 0.5 has the weight of the lowest bit of a subnormal half

    // Magnitudes of halves, moved to the float's fraction border.
    private const uint ShiftedSmallestNormal = 0x0400u << 13;
    private const uint ShiftedInfinity = 0x7C00u << 13;

    private const float SmallestNormalValue = 1f / 16384;
    private const uint QuietNaN = 0x7E00;

    /// <summary>The value of an F16: exact, subnormals included; a NaN stays a NaN with its sign and payload.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float DecodeF16(ushort bits)
    {
        // One test finds the lowest exponent (zero, subnormals) and the highest (infinities, NaNs).
        if ((bits + 0x0400 & 0x7800) == 0)
            return DecodeSpecialF16(bits);
        const int signAndMagnitude = unchecked((int)0x8FFFE000);
        return BitConverter.Int32BitsToSingle(((short)bits << 13 & signAndMagnitude) + (int)BiasDifference);
    }

    /// <summary>The nearest F16, ties to even; magnitudes of 65520 and more become infinite, a NaN becomes quiet.</summary>
    public static ushort EncodeF16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value), magnitude = bits & 0x7FFFFFFF, half;
        if (magnitude >= HalfOverflow)
            half = magnitude > FloatInfinity ? QuietNaN : ShiftedInfinity >> 13;
        else if (magnitude < HalfSmallestNormal)
            half = BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude) + 0.5f) - OneHalf;
        else
            half = magnitude - BiasDifference + 0xFFF + (magnitude >> 13 & 1) >> 13;
        return (ushort)(half | bits >> 16 & 0x8000);
    }

    /// <summary>The value of a BF16: exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float DecodeBF16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The nearest BF16, ties to even; a NaN stays a NaN, made quiet.</summary>
    public static ushort EncodeBF16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? bits >> 16 | 0x40 : bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    /// <summary>Converts a row of F16 to float32, exactly, infinities, NaNs and subnormals included.</summary>
    /// <param name="source">F16 bits.</param>
    /// <param name="destination">Receives the values; at least as long as the source, not overlapping it.</param>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    public static void DecodeF16(ReadOnlySpan<ushort> source, Span<float> destination) => DecodeRow<F16>(source, destination);

    /// <summary>Converts a row of float32 to F16 as <see cref="EncodeF16(float)"/> does.</summary>
    /// <param name="source">Values.</param>
    /// <param name="destination">Receives the F16 bits; at least as long as the source, not overlapping it.</param>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    public static void EncodeF16(ReadOnlySpan<float> source, Span<ushort> destination) => EncodeRow<F16>(source, destination);

    /// <summary>Converts a row of BF16 to float32, exactly.</summary>
    /// <param name="source">BF16 bits.</param>
    /// <param name="destination">Receives the values; at least as long as the source, not overlapping it.</param>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    public static void DecodeBF16(ReadOnlySpan<ushort> source, Span<float> destination) => DecodeRow<BF16>(source, destination);

    /// <summary>Converts a row of float32 to BF16 as <see cref="EncodeBF16(float)"/> does.</summary>
    /// <param name="source">Values.</param>
    /// <param name="destination">Receives the BF16 bits; at least as long as the source, not overlapping it.</param>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    public static void EncodeBF16(ReadOnlySpan<float> source, Span<ushort> destination) => EncodeRow<BF16>(source, destination);

    /// <summary>Eight F16 in the low halves of eight 32-bit lanes, as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> DecodeF16(Vector256<uint> bits)
    {
        Vector256<uint> magnitude = (bits & Vector256.Create(0x7FFFu)) << 13;
        Vector256<uint> sign = (bits & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> bias = Vector256.Create(BiasDifference);
        // Compared as signed numbers, for which there is an instruction: magnitudes are below 2^28.
        Vector256<uint> special = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)ShiftedInfinity - 1)).AsUInt32();
        Vector256<uint> subnormal = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)ShiftedSmallestNormal)).AsUInt32();
        Vector256<uint> shifted = magnitude + bias + (special & bias);
        Vector256<float> small = (shifted + Vector256.Create(ShiftedSmallestNormal)).AsSingle() - Vector256.Create(SmallestNormalValue);
        return (Vector256.ConditionalSelect(subnormal, small.AsUInt32(), shifted) | sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> EncodeF16(Vector256<float> values)
    {
        Vector256<uint> bits = values.AsUInt32(), magnitude = bits & Vector256.Create(0x7FFFFFFFu);
        Vector256<uint> normal = magnitude - Vector256.Create(BiasDifference - 0xFFF) + (magnitude >> 13 & Vector256.Create(1u)) >> 13;
        Vector256<uint> small = (magnitude.AsSingle() + Vector256.Create(0.5f)).AsUInt32() - Vector256.Create(OneHalf);
        Vector256<uint> isNaN = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)FloatInfinity)).AsUInt32();
        Vector256<uint> special = Vector256.Create(ShiftedInfinity >> 13) | isNaN & Vector256.Create(QuietNaN);
        Vector256<uint> isSmall = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)HalfSmallestNormal)).AsUInt32();
        Vector256<uint> isSpecial = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)HalfOverflow - 1)).AsUInt32();
        Vector256<uint> half = Vector256.ConditionalSelect(isSpecial, special, Vector256.ConditionalSelect(isSmall, small, normal));
        return half | bits >> 16 & Vector256.Create(0x8000u);
    }

    private static float DecodeSpecialF16(ushort bits)
    {
        uint magnitude = (bits & 0x7FFFu) << 13, sign = (bits & 0x8000u) << 16;
        if (magnitude >= ShiftedInfinity)
            return BitConverter.UInt32BitsToSingle(magnitude + 2 * BiasDifference | sign);
        float small = BitConverter.UInt32BitsToSingle(magnitude + HalfSmallestNormal) - SmallestNormalValue;
        return BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(small) | sign);
    }

    private interface IHalf
    {
        static abstract float Decode(ushort bits);

        static abstract Vector256<float> Decode(Vector256<uint> bits);

        static abstract ushort Encode(float value);

        static abstract Vector256<uint> Encode(Vector256<float> values);
    }

    private readonly struct F16 : IHalf
    {
        public static float Decode(ushort bits) => DecodeF16(bits);

        public static Vector256<float> Decode(Vector256<uint> bits) => DecodeF16(bits);

        public static ushort Encode(float value) => EncodeF16(value);

        public static Vector256<uint> Encode(Vector256<float> values) => EncodeF16(values);
    }

    private readonly struct BF16 : IHalf
    {
        public static float Decode(ushort bits) => DecodeBF16(bits);

        public static Vector256<float> Decode(Vector256<uint> bits) => (bits << 16).AsSingle();

        public static ushort Encode(float value) => EncodeBF16(value);

        public static Vector256<uint> Encode(Vector256<float> values)
        {
            Vector256<uint> bits = values.AsUInt32();
            Vector256<uint> rounded = bits + Vector256.Create(0x7FFFu) + (bits >> 16 & Vector256.Create(1u)) >> 16;
            Vector256<uint> quiet = bits >> 16 | Vector256.Create(0x40u);
            return Vector256.ConditionalSelect(Vector256.Equals(values, values).AsUInt32(), rounded, quiet);
        }
    }

    private static void DecodeRow<THalf>(ReadOnlySpan<ushort> source, Span<float> destination) where THalf : IHalf
    {
        RequireRoom(source.Length, destination);
        fixed (ushort* x = source)
        fixed (float* y = destination)
        {
            int i = 0;
            for (; i <= source.Length - 16; i += 16)
            {
                Vector256<ushort> bits = Vector256.Load(x + i);
                THalf.Decode(Vector256.WidenLower(bits)).Store(y + i);
                THalf.Decode(Vector256.WidenUpper(bits)).Store(y + i + 8);
            }
            for (; i < source.Length; i++)
                y[i] = THalf.Decode(x[i]);
        }
    }

    private static void EncodeRow<THalf>(ReadOnlySpan<float> source, Span<ushort> destination) where THalf : IHalf
    {
        RequireRoom(source.Length, destination);
        fixed (float* x = source)
        fixed (ushort* y = destination)
        {
            int i = 0;
            for (; i <= source.Length - 16; i += 16)
                Vector256.Narrow(THalf.Encode(Vector256.Load(x + i)), THalf.Encode(Vector256.Load(x + i + 8))).Store(y + i);
            for (; i < source.Length; i++)
                y[i] = THalf.Encode(x[i]);
        }
    }

    private static void RequireRoom(int needed, Span<float> destination) => RequireRoom(needed, destination.Length, nameof(destination));

    private static void RequireRoom(int needed, Span<ushort> destination) => RequireRoom(needed, destination.Length, nameof(destination));

    private static void RequireRoom(int needed, int found, string parameter)
    {
        if (found < needed)
            throw new ArgumentException($"Expected room for {needed} values, found {found}.", parameter);
    }
}
