using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.Attention;

/// <summary>Sixteen bytes of each of eight tokens, turned into four registers with the same four bytes of every token.</summary>
internal readonly unsafe ref struct EightTokens
{
    /// <summary>Reads the rows.</summary>
    /// <param name="bytes">The bytes of token 0.</param>
    /// <param name="stride">Bytes from token to token.</param>
    /// <param name="first">The first token.</param>
    /// <param name="last">The last token there is; it stands for those behind it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EightTokens(byte* bytes, int stride, int first, int last)
    {
        Vector256<int> r0, r1, r2, r3;
        if (first + 7 <= last)
        {
            byte* row = bytes + ((long)first * stride);
            byte* fifth = row + (4L * stride);
            r0 = Two(row, fifth);
            r1 = Two(row + stride, fifth + stride);
            r2 = Two(row + (2L * stride), fifth + (2L * stride));
            r3 = Two(row + (3L * stride), fifth + (3L * stride));
        }
        else
        {
            r0 = Two(Row(bytes, stride, first, last), Row(bytes, stride, first + 4, last));
            r1 = Two(Row(bytes, stride, first + 1, last), Row(bytes, stride, first + 5, last));
            r2 = Two(Row(bytes, stride, first + 2, last), Row(bytes, stride, first + 6, last));
            r3 = Two(Row(bytes, stride, first + 3, last), Row(bytes, stride, first + 7, last));
        }

        var a = Avx2.UnpackLow(r0, r1).AsInt64();
        var b = Avx2.UnpackHigh(r0, r1).AsInt64();
        var c = Avx2.UnpackLow(r2, r3).AsInt64();
        var d = Avx2.UnpackHigh(r2, r3).AsInt64();
        Word0 = Avx2.UnpackLow(a, c).AsInt32();
        Word1 = Avx2.UnpackHigh(a, c).AsInt32();
        Word2 = Avx2.UnpackLow(b, d).AsInt32();
        Word3 = Avx2.UnpackHigh(b, d).AsInt32();
    }

    /// <summary>Bytes 0 to 3.</summary>
    public Vector256<int> Word0 { get; }

    /// <summary>Bytes 4 to 7.</summary>
    public Vector256<int> Word1 { get; }

    /// <summary>Bytes 8 to 11.</summary>
    public Vector256<int> Word2 { get; }

    /// <summary>Bytes 12 to 15.</summary>
    public Vector256<int> Word3 { get; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Row(byte* bytes, int stride, int token, int last) => bytes + ((long)Math.Min(token, last) * stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Two(byte* lower, byte* upper) => Vector256.Create(Vector128.Load((int*)lower), Vector128.Load((int*)upper));
}
