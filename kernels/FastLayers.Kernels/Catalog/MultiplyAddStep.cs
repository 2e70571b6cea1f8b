using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Catalog;

/// <summary>
/// The instructions whose rate is measured, on registers. Each result depends on the one before: the compiler would take what does not out of
/// the loop.
/// </summary>
internal interface IMultiplyAddStep<TVector> where TVector : unmanaged
{
    /// <summary>Multiplications and additions of a step.</summary>
    static abstract int Operations { get; }

    /// <summary>First value of a chain.</summary>
    static abstract TVector Start { get; }

    /// <summary>A factor that keeps values finite.</summary>
    static abstract TVector Factor { get; }

    /// <summary>Multiplies and adds; the summand may be the value itself.</summary>
    static abstract TVector Next(TVector value, TVector factor, TVector summand);
}

/// <summary>Floats: value · factor + summand.</summary>
internal readonly struct FloatStep<TLanes> : IMultiplyAddStep<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    public static int Operations => 2 * TLanes.Count;

    public static TLanes Start => TLanes.Broadcast(0.001f);

    public static TLanes Factor => TLanes.Broadcast(0.999f);

    public static TLanes Next(TLanes value, TLanes factor, TLanes summand) => TLanes.MultiplyAdd(value, factor, summand);
}

/// <summary>64 bytes at once, pairs summed in 16 bit: <c>vpmaddubsw</c>, <c>vpaddw</c>.</summary>
internal readonly struct ByteStep512 : IMultiplyAddStep<Vector512<short>>
{
    public static int Operations => 128;

    public static Vector512<short> Start => Vector512<short>.One;

    public static Vector512<short> Factor => Vector512.Create((sbyte)3).AsInt16();

    public static Vector512<short> Next(Vector512<short> value, Vector512<short> factor, Vector512<short> summand) =>
        value + Avx512BW.MultiplyAddAdjacent(value.AsByte(), factor.AsSByte());
}

/// <summary>32 bytes at once, fours summed in 32 bit: <c>vpdpbusd</c>.</summary>
internal readonly struct ByteStepVnni : IMultiplyAddStep<Vector256<int>>
{
    public static int Operations => 64;

    public static Vector256<int> Start => Vector256<int>.One;

    public static Vector256<int> Factor => Vector256.Create((sbyte)3).AsInt32();

    public static Vector256<int> Next(Vector256<int> value, Vector256<int> factor, Vector256<int> summand) =>
        AvxVnni.MultiplyWideningAndAdd(value, value.AsByte(), factor.AsSByte());
}

/// <summary>32 bytes at once, pairs summed in 16 bit: <c>vpmaddubsw</c>, <c>vpaddw</c>.</summary>
internal readonly struct ByteStep256 : IMultiplyAddStep<Vector256<short>>
{
    public static int Operations => 64;

    public static Vector256<short> Start => Vector256<short>.One;

    public static Vector256<short> Factor => Vector256.Create((sbyte)3).AsInt16();

    public static Vector256<short> Next(Vector256<short> value, Vector256<short> factor, Vector256<short> summand) =>
        value + Avx2.MultiplyAddAdjacent(value.AsByte(), factor.AsSByte());
}

/// <summary>16 bytes at once: <c>pmaddubsw</c> where it is there, 16-bit products of the lower and the upper half elsewhere.</summary>
internal readonly struct ByteStep128 : IMultiplyAddStep<Vector128<short>>
{
    public static int Operations => 32;

    public static Vector128<short> Start => Vector128<short>.One;

    public static Vector128<short> Factor => Vector128.Create((sbyte)3).AsInt16();

    public static Vector128<short> Next(Vector128<short> value, Vector128<short> factor, Vector128<short> summand)
    {
        if (Ssse3.IsSupported) return value + Ssse3.MultiplyAddAdjacent(value.AsByte(), factor.AsSByte());
        var low = Vector128.WidenLower(value.AsSByte()) * Vector128.WidenLower(factor.AsSByte());
        var high = Vector128.WidenUpper(value.AsSByte()) * Vector128.WidenUpper(factor.AsSByte());
        return value + low + high;
    }
}
