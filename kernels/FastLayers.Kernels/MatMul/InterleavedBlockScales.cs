using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.MatMul;

/// <summary>A half a block of 32, which is the first thing in it.</summary>
internal readonly unsafe struct HalfScales : IInterleavedScales
{
    public static int Columns => 32;

    public static int Bytes => 16;

    public static int Integers => 0;

    public static int Minimums => 0;

    public static void Store(byte* block, int row, byte* unit) => ((ushort*)unit)[row] = *(ushort*)block;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit) => EightRows.Halves(unit);
}

/// <summary>Two halves a block of 32, the first things in it: the scale, and what is added to the values.</summary>
internal readonly unsafe struct HalfScalesAndMinimums : IInterleavedScales
{
    public static int Columns => 32;

    public static int Bytes => 32;

    public static int Integers => 0;

    public static int Minimums => 1;

    public static void Store(byte* block, int row, byte* unit)
    {
        ((ushort*)unit)[row] = ((ushort*)block)[0];
        ((ushort*)unit)[8 + row] = ((ushort*)block)[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit) => EightRows.Halves(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MinimumFactor(byte* unit) => -EightRows.Halves(unit + 16);
}

/// <summary>
/// A power of two a block of 32, its exponent being the first byte: 2^(exponent − 128). The smallest, 2^−128, counts as 0.
/// </summary>
internal readonly unsafe struct ExponentScales : IInterleavedScales
{
    public static int Columns => 32;

    public static int Bytes => 16;

    public static int Integers => 0;

    public static int Minimums => 0;

    public static void Store(byte* block, int row, byte* unit) => ((ushort*)unit)[row] = *block;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit)
    {
        var bits = Avx2.ConvertToVector256Int32((short*)unit) << 23;
        return bits.AsSingle() * Vector256.Create(0.5f);
    }
}

/// <summary>A half a block of 256, which is the last thing in it.</summary>
internal readonly unsafe struct TernaryScales : IInterleavedScales
{
    public static int Columns => 256;

    public static int Bytes => 16;

    public static int Integers => 0;

    public static int Minimums => 0;

    public static void Store(byte* block, int row, byte* unit) => ((ushort*)unit)[row] = *(ushort*)(block + 64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Factor(byte* unit) => EightRows.Halves(unit);
}
