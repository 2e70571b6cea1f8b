using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>
/// Unpacking of the formats with one, two or three levels a value. TQ2_0 takes pairs of bits from the bottom of 32 bytes as the K formats do;
/// TQ1_0 takes base-3 digits from the top by two comparisons and a multiplication by three. In
/// Q1_0 and Q2_0 neighboring values share a byte: Q1_0 spreads each byte over eight and tests one bit in each; Q2_0 halves bytes, then
/// nibbles, by widening and shifting.
/// </summary>
internal static unsafe class UnpackTernary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TQ2_0(BlockTQ2_0* block, sbyte* codes, float* scales, float* minimums)
    {
        Vector256.Create(block->Scale.Value).Store(scales);
        Vector256<byte> one = Vector256.Create((byte)1), three = Vector256.Create((byte)3);
        for (int g = 0; g < 2; g++)
        {
            Vector256<ushort> bits = Vector256.Load(block->Codes + 32 * g).AsUInt16();
            for (int k = 0; k < 4; k++, bits >>= 2)
                ((bits.AsByte() & three) - one).Store((byte*)codes + 128 * g + 32 * k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TQ1_0(BlockTQ1_0* block, sbyte* codes, float* scales, float* minimums)
    {
        Vector256.Create(block->Scale.Value).Store(scales);
        Vector256<byte> wide = Vector256.Load(block->Packed);
        for (int n = 0; n < 5; n++, wide += wide + wide)
            Digit(wide).Store(codes + 32 * n);
        Vector128<byte> narrow = Vector128.Load(block->Packed + 32);
        for (int n = 0; n < 5; n++, narrow += narrow + narrow)
            Digit(narrow).Store(codes + 160 + 16 * n);
        Vector128<byte> last = Vector128.CreateScalar(*(uint*)(block->Packed + 48)).AsByte();
        for (int n = 0; n < 4; n++, last += last + last)
            *(int*)(codes + 240 + 4 * n) = Digit(last).AsInt32().ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q1_0(BlockQ1_0* block, sbyte* codes, float* scales, float* minimums)
    {
        Vector128.Create(block->Scale.Value).Store(scales);
        for (int i = 0; i < 8; i++)
        {
            Vector128<byte> set = UnpackNibbles.WhereSet(((ushort*)block->Signs)[i]);
            (~set | Vector128.Create((byte)1)).Store((byte*)codes + 16 * i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q2_0(BlockQ2_0* block, sbyte* codes, float* scales, float* minimums)
    {
        scales[0] = scales[1] = block->Scale.Value;
        Vector128<byte> packed = Vector128.Load(block->Codes);
        Vector128<byte> first = Nibbles(Vector128.WidenLower(packed)), second = Nibbles(Vector128.WidenUpper(packed));
        Vector128<byte> one = Vector128.Create((byte)1);
        (Pairs(Vector128.WidenLower(first)) - one).Store((byte*)codes);
        (Pairs(Vector128.WidenUpper(first)) - one).Store((byte*)codes + 16);
        (Pairs(Vector128.WidenLower(second)) - one).Store((byte*)codes + 32);
        (Pairs(Vector128.WidenUpper(second)) - one).Store((byte*)codes + 48);
    }

    // Three times a byte reaches 256 from 86 and 512 from 171 on: the leading base-3 digit of byte / 256, less one. Comparisons give -1 for true.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Digit(Vector256<byte> x) =>
        Vector256.LessThan(x, Vector256.Create((byte)86)).AsSByte() - Vector256.GreaterThanOrEqual(x, Vector256.Create((byte)171)).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Digit(Vector128<byte> x) =>
        Vector128.LessThan(x, Vector128.Create((byte)86)).AsSByte() - Vector128.GreaterThanOrEqual(x, Vector128.Create((byte)171)).AsSByte();

    /// <summary>Eight bytes in 16-bit lanes to their sixteen nibbles, low ones first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Nibbles(Vector128<ushort> bytes) => (bytes | bytes << 4).AsByte() & Vector128.Create((byte)15);

    /// <summary>Eight nibbles in 16-bit lanes to their sixteen pairs of bits, low ones first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Pairs(Vector128<ushort> nibbles) => (nibbles | nibbles << 6).AsByte() & Vector128.Create((byte)3);
}
