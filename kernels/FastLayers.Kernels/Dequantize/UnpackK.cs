using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>
/// Unpacking of the K formats. Bytes 32 apart in value order sit in one byte, so 32 bytes are loaded once and their bits taken from the bottom:
/// mask, store 32 codes, shift the rest down. Shifts are of 16-bit lanes; what crosses into a neighboring byte is masked away.
/// </summary>
internal static unsafe class UnpackK
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q2_K(BlockQ2_K* block, sbyte* codes, float* scales, float* minimums)
    {
        Vector128<byte> packed = Vector128.Load(block->ScalesAndMinimums), mask = Vector128.Create((byte)15);
        StoreScales(packed & mask, block->Scale.Value, scales);
        StoreScales((packed.AsUInt16() >> 4).AsByte() & mask, block->Minimum.Value, minimums);

        Vector256<byte> three = Vector256.Create((byte)3);
        for (int n = 0; n < 2; n++)
        {
            Vector256<ushort> bits = Vector256.Load(block->Codes + 32 * n).AsUInt16();
            for (int k = 0; k < 4; k++, bits >>= 2)
                (bits.AsByte() & three).Store((byte*)codes + 128 * n + 32 * k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q3_K(BlockQ3_K* block, sbyte* codes, float* scales, float* minimums)
    {
        ulong nibbles = *(ulong*)block->Scales;
        uint pairs = *(uint*)(block->Scales + 8);
        Vector128<byte> lower = Vector128.Create(nibbles, nibbles >> 4).AsByte() & Vector128.Create((byte)15);
        Vector128<byte> upper = Vector128.Create(pairs, pairs >> 2, pairs >> 4, pairs >> 6).AsByte() & Vector128.Create((byte)3);
        Vector128<byte> whole = lower | (upper.AsUInt16() << 4).AsByte();
        StoreScales((whole - Vector128.Create((byte)32)).AsSByte(), block->Scale.Value, scales);

        Vector256<byte> one = Vector256.Create((byte)1), three = Vector256.Create((byte)3), four = Vector256.Create((byte)4);
        Vector256<ushort> thirds = Vector256.Load(block->ThirdBits).AsUInt16();
        for (int n = 0; n < 2; n++)
        {
            Vector256<ushort> bits = Vector256.Load(block->LowerBits + 32 * n).AsUInt16();
            for (int k = 0; k < 4; k++, bits >>= 2, thirds >>= 1)
            {
                Vector256<byte> third = ((thirds.AsByte() & one).AsUInt16() << 2).AsByte();
                ((bits.AsByte() & three | third) - four).Store((byte*)codes + 128 * n + 32 * k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q4_K(BlockQ4_K* block, sbyte* codes, float* scales, float* minimums)
    {
        StoreSixBitScales(block->Scales, block->Scale.Value, block->Minimum.Value, scales, minimums);
        Vector256<byte> mask = Vector256.Create((byte)15);
        for (int p = 0; p < 4; p++)
        {
            Vector256<byte> packed = Vector256.Load(block->Nibbles + 32 * p);
            (packed & mask).Store((byte*)codes + 64 * p);
            ((packed.AsUInt16() >> 4).AsByte() & mask).Store((byte*)codes + 64 * p + 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q5_K(BlockQ5_K* block, sbyte* codes, float* scales, float* minimums)
    {
        StoreSixBitScales(block->Scales, block->Scale.Value, block->Minimum.Value, scales, minimums);
        Vector256<byte> one = Vector256.Create((byte)1), mask = Vector256.Create((byte)15);
        Vector256<ushort> fifths = Vector256.Load(block->FifthBits).AsUInt16();
        for (int p = 0; p < 4; p++, fifths >>= 2)
        {
            Vector256<byte> packed = Vector256.Load(block->Nibbles + 32 * p);
            Vector256<byte> low = ((fifths.AsByte() & one).AsUInt16() << 4).AsByte();
            Vector256<byte> high = (((fifths >> 1).AsByte() & one).AsUInt16() << 4).AsByte();
            (packed & mask | low).Store((byte*)codes + 64 * p);
            ((packed.AsUInt16() >> 4).AsByte() & mask | high).Store((byte*)codes + 64 * p + 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Q6_K(BlockQ6_K* block, sbyte* codes, float* scales, float* minimums)
    {
        StoreScales(Vector128.Load(block->Scales), block->Scale.Value, scales);
        Vector256<byte> mask = Vector256.Create((byte)15), pair = Vector256.Create((byte)0x30), zero = Vector256.Create((byte)32);
        for (int n = 0; n < 2; n++)
        {
            Vector256<byte> first = Vector256.Load(block->Nibbles + 64 * n), second = Vector256.Load(block->Nibbles + 64 * n + 32);
            Vector256<ushort> upper = Vector256.Load(block->UpperBits + 32 * n).AsUInt16();
            byte* output = (byte*)codes + 128 * n;
            ((first & mask | (upper << 4).AsByte() & pair) - zero).Store(output);
            ((second & mask | (upper << 2).AsByte() & pair) - zero).Store(output + 32);
            (((first.AsUInt16() >> 4).AsByte() & mask | upper.AsByte() & pair) - zero).Store(output + 64);
            (((second.AsUInt16() >> 4).AsByte() & mask | (upper >> 2).AsByte() & pair) - zero).Store(output + 96);
        }
    }

    /// <summary>Unpacks the layout of <see cref="SixBitScales"/> with 32-bit integers, four scales or minimums in each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSixBitScales(byte* packed, float scale, float minimum, float* scales, float* minimums)
    {
        uint first = ((uint*)packed)[0], second = ((uint*)packed)[1], nibbles = ((uint*)packed)[2];
        const uint lower6 = 0x3F3F3F3F, lower4 = 0x0F0F0F0F, upper2 = 0xC0C0C0C0;
        uint lastScales = nibbles & lower4 | (first & upper2) >> 2;
        uint lastMinimums = nibbles >> 4 & lower4 | (second & upper2) >> 2;
        Vector128<ushort> wholeScales = Vector128.WidenLower(Vector128.Create(first & lower6, lastScales, 0, 0).AsByte());
        Vector128<ushort> wholeMinimums = Vector128.WidenLower(Vector128.Create(second & lower6, lastMinimums, 0, 0).AsByte());
        StoreEight(wholeScales.AsInt16(), scale, scales);
        StoreEight(wholeMinimums.AsInt16(), minimum, minimums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreScales(Vector128<byte> whole, float unit, float* scales)
    {
        StoreEight(Vector128.WidenLower(whole).AsInt16(), unit, scales);
        StoreEight(Vector128.WidenUpper(whole).AsInt16(), unit, scales + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreScales(Vector128<sbyte> whole, float unit, float* scales)
    {
        StoreEight(Vector128.WidenLower(whole), unit, scales);
        StoreEight(Vector128.WidenUpper(whole), unit, scales + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEight(Vector128<short> whole, float unit, float* scales)
    {
        Vector256<int> wide = Vector256.Create(Vector128.WidenLower(whole), Vector128.WidenUpper(whole));
        (Vector256.ConvertToSingle(wide) * unit).Store(scales);
    }
}
