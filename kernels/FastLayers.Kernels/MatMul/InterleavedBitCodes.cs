using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.MatMul;

/// <summary>2 bits: vector i is in bits 2(i / 2) of vector i % 2.</summary>
internal readonly unsafe struct TwoBitCodes<TOffset> : IInterleavedCodes
    where TOffset : struct, IConstant
{
    public static int Bytes => 64;

    public static int Offset => TOffset.Value;

    public static int VectorsPerSum => 8;

    public static bool IsSigned => false;

    public static void Store(uint* codes, uint* cell) => InterleavedBits.StorePairs(codes, 0, cell);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) => InterleavedBits.Field(cell + (32 * (index % 2)), 2 * (index / 2), 3);
}

/// <summary>3 bits: the lower two as <see cref="TwoBitCodes{TOffset}"/>, then the third of vector i in bit i of a vector.</summary>
internal readonly unsafe struct ThreeBitCodes : IInterleavedCodes
{
    public static int Bytes => 96;

    public static int Offset => 4;

    public static int VectorsPerSum => 8;

    public static bool IsSigned => false;

    public static void Store(uint* codes, uint* cell)
    {
        InterleavedBits.StorePairs(codes, 0, cell);
        InterleavedBits.StoreBits(codes, 2, cell + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) =>
        InterleavedBits.WithUpper(InterleavedBits.Field(cell + (32 * (index % 2)), 2 * (index / 2), 3), cell + 64, index, 1, 2);
}

/// <summary>4 bits: vector i is in the lower half of the bytes of vector i / 2, or in the upper one if i is odd.</summary>
internal readonly unsafe struct FourBitCodes<TOffset> : IInterleavedCodes
    where TOffset : struct, IConstant
{
    public static int Bytes => 128;

    public static int Offset => TOffset.Value;

    public static int VectorsPerSum => 8;

    public static bool IsSigned => false;

    public static void Store(uint* codes, uint* cell) => InterleavedBits.StoreNibbles(codes, cell);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) => InterleavedBits.Field(cell + (32 * (index / 2)), 4 * (index % 2), 15);
}

/// <summary>5 bits: four as <see cref="FourBitCodes{TOffset}"/>, then the fifth of vector i in bit i of a vector.</summary>
internal readonly unsafe struct FiveBitCodes<TOffset> : IInterleavedCodes
    where TOffset : struct, IConstant
{
    public static int Bytes => 160;

    public static int Offset => TOffset.Value;

    public static int VectorsPerSum => 4;

    public static bool IsSigned => false;

    public static void Store(uint* codes, uint* cell)
    {
        InterleavedBits.StoreNibbles(codes, cell);
        InterleavedBits.StoreBits(codes, 4, cell + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) =>
        InterleavedBits.WithUpper(InterleavedBits.Field(cell + (32 * (index / 2)), 4 * (index % 2), 15), cell + 128, index, 1, 4);
}

/// <summary>6 bits: four as <see cref="FourBitCodes{TOffset}"/>, then two of vector i in bits 2(i / 2) of vector i % 2.</summary>
internal readonly unsafe struct SixBitCodes : IInterleavedCodes
{
    public static int Bytes => 192;

    public static int Offset => 32;

    public static int VectorsPerSum => 2;

    public static bool IsSigned => false;

    public static void Store(uint* codes, uint* cell)
    {
        InterleavedBits.StoreNibbles(codes, cell);
        InterleavedBits.StorePairs(codes, 4, cell + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* cell, int index) =>
        InterleavedBits.WithUpper(InterleavedBits.Field(cell + (32 * (index / 2)), 4 * (index % 2), 15), cell + 128 + (32 * (index % 2)), 2 * (index / 2), 3, 4);
}
