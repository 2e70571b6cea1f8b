using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.MatMul;

/// <summary>Reading eight small numbers.</summary>
internal static unsafe class EightRows
{
    /// <summary>Eight halves as floats. Infinities and NaN, which no weights have, become large numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Halves(byte* source)
    {
        var bits = Avx2.ConvertToVector256Int32((short*)source) << 13;
        return (bits & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(HalfBias.Factor);
    }

    /// <summary>Eight signed bytes, each twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Twice(Vector128<sbyte> bytes)
    {
        var twice = Vector128.Shuffle(bytes, Vector128.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
        return Avx2.ConvertToVector256Int16(twice);
    }

    /// <summary>Eight pairs of the signed bytes of the lower and the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Paired(Vector128<sbyte> bytes)
    {
        var pairs = Vector128.Shuffle(bytes, Vector128.Create(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
        return Avx2.ConvertToVector256Int16(pairs);
    }

    /// <summary>Eight bytes, not negative, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Floats(Vector128<sbyte> bytes) => Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes));

    /// <summary>Eight bytes in the lower half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Bytes(byte* source) => Vector128.CreateScalarUnsafe(*(long*)source).AsSByte();
}
