using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.MatMul;

/// <summary>Codes that are bits of a number from 0 on.</summary>
internal static unsafe class InterleavedBits
{
    /// <summary>Lower two bits of all codes in two words.</summary>
    public static void StorePairs(uint* codes, int shift, uint* cell)
    {
        for (int j = 0; j < 2; j++)
        {
            uint word = 0;
            for (int k = 0; k < 4; k++) word |= ((codes[j + (2 * k)] >> shift) & 0x03030303) << (2 * k);
            cell[8 * j] = word;
        }
    }

    /// <summary>Lower four bits of all codes in four words.</summary>
    public static void StoreNibbles(uint* codes, uint* cell)
    {
        for (int j = 0; j < 4; j++) cell[8 * j] = (codes[2 * j] & 0x0F0F0F0F) | ((codes[(2 * j) + 1] & 0x0F0F0F0F) << 4);
    }

    /// <summary>One bit of all codes in a word.</summary>
    public static void StoreBits(uint* codes, int shift, uint* cell)
    {
        uint word = 0;
        for (int i = 0; i < 8; i++) word |= ((codes[i] >> shift) & 0x01010101) << i;
        *cell = word;
    }

    /// <summary>The bytes of <paramref name="vector"/> shifted right and masked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Field(byte* vector, int shift, byte mask)
    {
        var bytes = Vector256.Load(vector);
        if (shift > 0) bytes = (bytes.AsUInt16() >>> shift).AsByte();
        return bytes & Vector256.Create(mask);
    }

    /// <summary>Bits of two planes put together: the lower bits, and one or two upper ones to be moved to <paramref name="place"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> WithUpper(Vector256<byte> lower, byte* upper, int shift, byte mask, int place)
    {
        var bytes = Vector256.Load(upper).AsUInt16();
        bytes = shift > place ? bytes >>> (shift - place) : bytes << (place - shift);
        return lower | (bytes.AsByte() & Vector256.Create((byte)(mask << place)));
    }
}
