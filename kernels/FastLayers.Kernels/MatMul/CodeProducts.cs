using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Products of 32 signed weight codes with 32 signed activation codes, summed in fours: lane i holds Σ w[4i..4i+3] · x[4i..4i+3]. Every
/// implementation is exact, so all give the same integers.
/// </summary>
internal unsafe interface ICodeProducts
{
    /// <summary>Multiplies and sums. Weight codes are −128…127, activation codes −127…127.</summary>
    static abstract Vector256<int> Products(sbyte* weights, sbyte* activations);
}

/// <summary>
/// 256 bit: <c>vpmaddubsw</c> wants one unsigned side, so it gets |w| and x with the sign of w. A pair sums to at most 2 · 128 · 127,
/// which fits 16 bit.
/// </summary>
internal readonly unsafe struct CodeProductsAvx2 : ICodeProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Products(sbyte* weights, sbyte* activations)
    {
        var w = Vector256.Load(weights);
        var pairs = Avx2.MultiplyAddAdjacent(Avx2.Abs(w), Avx2.Sign(Vector256.Load(activations), w));
        return Avx2.MultiplyAddAdjacent(pairs, Vector256<short>.One);
    }
}

/// <summary>256 bit with <c>vpdpbusd</c>, which sums the four products at once.</summary>
internal readonly unsafe struct CodeProductsAvxVnni : ICodeProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Products(sbyte* weights, sbyte* activations)
    {
        var w = Vector256.Load(weights);
        return AvxVnni.MultiplyWideningAndAdd(Vector256<int>.Zero, Avx2.Abs(w), Avx2.Sign(Vector256.Load(activations), w));
    }
}

/// <summary>Two halves of 128 bit: <c>pmaddubsw</c> where SSSE3 is there, widened 16-bit products elsewhere (Arm, WebAssembly, old x86).</summary>
internal readonly unsafe struct CodeProducts128 : ICodeProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Products(sbyte* weights, sbyte* activations) =>
        Vector256.Create(Half(weights, activations), Half(weights + 16, activations + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Half(sbyte* weights, sbyte* activations)
    {
        var w = Vector128.Load(weights);
        var x = Vector128.Load(activations);
        if (Ssse3.IsSupported)
        {
            var pairs = Ssse3.MultiplyAddAdjacent(Ssse3.Abs(w), Ssse3.Sign(x, w));
            return Sse2.MultiplyAddAdjacent(pairs, Vector128<short>.One);
        }

        var low = Vector128.WidenLower(w) * Vector128.WidenLower(x);
        var high = Vector128.WidenUpper(w) * Vector128.WidenUpper(x);
        return Vector128.Create(FourSums(low), FourSums(high));
    }

    /// <summary>Sums of four neighbours: two 32-bit values from eight 16-bit products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector64<int> FourSums(Vector128<short> products)
    {
        var a = Vector128.WidenLower(products);
        var b = Vector128.WidenUpper(products);
        return Vector64.Create(Vector128.Sum(a), Vector128.Sum(b));
    }
}
