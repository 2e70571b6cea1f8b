using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.MatMul;

/// <summary>8 bits with their sign.</summary>
internal readonly unsafe struct EightBitCodes : IInterleavedCodes
{
    public static int Bytes => 256;

    public static int Offset => 0;

    public static int VectorsPerSum => 1;

    public static bool IsSigned => true;

    public static void Store(uint* codes, uint* cell)
    {
        for (int i = 0; i < 8; i++) cell[8 * i] = codes[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) => Vector256.Load(cell + (32 * index));
}

/// <summary>4 bits that number the codes of <see cref="UnevenLevels"/>.</summary>
internal readonly unsafe struct UnevenCodes : IInterleavedCodes
{
    public static int Bytes => 128;

    public static int Offset => 0;

    public static int VectorsPerSum => 1;

    public static bool IsSigned => true;

    public static void Store(uint* codes, uint* cell)
    {
        for (int i = 0; i < 32; i++) ((byte*)codes)[i] = (byte)UnevenLevels.NibbleOf(((sbyte*)codes)[i]);
        InterleavedBits.StoreNibbles(codes, cell);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) =>
        Avx2.Shuffle(Vector256.Create(Vector128.Create(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)).AsByte(), InterleavedBits.Field(cell + (32 * (index / 2)), 4 * (index % 2), 15));
}

/// <summary>4 bits that number the codes of <see cref="E2M1"/>, which are −12…12.</summary>
internal readonly unsafe struct E2M1Codes : IInterleavedCodes
{
    public static int Bytes => 128;

    public static int Offset => 12;

    public static int VectorsPerSum => 4;

    public static bool IsSigned => false;

    public static void Store(uint* codes, uint* cell)
    {
        for (int i = 0; i < 32; i++) ((byte*)codes)[i] = (byte)E2M1.Codes.IndexOf((sbyte)(((byte*)codes)[i] - Offset));
        InterleavedBits.StoreNibbles(codes, cell);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) =>
        Avx2.Shuffle(Vector256.Create(Vector128.Create(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0)).AsByte(), InterleavedBits.Field(cell + (32 * (index / 2)), 4 * (index % 2), 15));
}
