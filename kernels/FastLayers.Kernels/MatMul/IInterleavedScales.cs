using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// How the scales of 8 rows are stored, and what they are: <c>value = Scale · (Integer · code) − Minimum</c>, with an integer and a minimum
/// for 32 columns, or one for each half of them.
/// </summary>
internal unsafe interface IInterleavedScales
{
    /// <summary>Columns of a block of the format.</summary>
    static abstract int Columns { get; }

    /// <summary>Bytes for a block of 8 rows.</summary>
    static abstract int Bytes { get; }

    /// <summary>Integers for 32 columns: 0 if all are 1, or 1, or 2.</summary>
    static abstract int Integers { get; }

    /// <summary>Minimums for 32 columns: 0, 1 or 2.</summary>
    static abstract int Minimums { get; }

    /// <summary>Stores the scales of one row's block.</summary>
    static abstract void Store(byte* block, int row, byte* unit);

    /// <summary>The scales of 32 columns of a block.</summary>
    static abstract InterleavedScales Load(byte* unit, int part);
}

/// <summary>The scales of 32 columns of 8 rows; what a format does not have is not read.</summary>
internal struct InterleavedScales
{
    /// <summary>The factor of each row.</summary>
    public Vector256<float> Scale;

    /// <summary>The integer of each row, twice: for all columns, or the first 16.</summary>
    public Vector256<short> Integer;

    /// <summary>The integer for the last 16 columns.</summary>
    public Vector256<short> UpperInteger;

    /// <summary>The integers of each row for the first and for the last 16 columns.</summary>
    public Vector256<short> Integers;

    /// <summary>What is subtracted, for all columns or the first 16.</summary>
    public Vector256<float> Minimum;

    /// <summary>What is subtracted in the last 16 columns.</summary>
    public Vector256<float> UpperMinimum;
}

/// <summary>Reading eight small numbers.</summary>
internal static unsafe class EightRows
{
    /// <summary>Eight halves as floats. Infinities and NaN, which no weights have, become large numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Halves(byte* source)
    {
        var bits = Avx2.ConvertToVector256Int32((short*)source) << 13;
        return (bits & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(5.192296858534828e33f);
    }

    /// <summary>Eight signed bytes, each twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Twice(Vector128<sbyte> bytes)
    {
        var twice = Vector128.Shuffle(bytes, Vector128.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
        return Avx2.ConvertToVector256Int16(twice);
    }

    /// <summary>The last eight of sixteen signed bytes, each twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> UpperTwice(Vector128<sbyte> bytes) =>
        Avx2.ConvertToVector256Int16(Vector128.Shuffle(bytes, Vector128.Create(8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15)));

    /// <summary>Eight pairs of the signed bytes of the lower and the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Paired(Vector128<sbyte> bytes)
    {
        var pairs = Vector128.Shuffle(bytes, Vector128.Create(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
        return Avx2.ConvertToVector256Int16(pairs);
    }

    /// <summary>Eight bytes, not negative, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Floats(Vector128<sbyte> bytes)
    {
        return Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes));
    }
}
