using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Rows of activations rounded to 8 bit in blocks of 32, the right-hand side of the integer matrix product:
/// <c>x[i] ≈ scale[i / 32] · code[i]</c>, <c>scale = max|x| / 127</c>, codes rounded to the nearest, ties to even.
/// </summary>
/// <remarks>
/// Beside the codes stand the sums of <c>scale · code</c> over 16 and over 32 values: a weight format with minimums needs
/// <c>Σ minimum · x</c>, which is one product a group with them. A block with a value that is not finite gets the scale NaN, and its codes
/// mean nothing; one whose largest magnitude is below 4e-37, where 127 divided by it overflows, gets codes of zero.
/// </remarks>
public readonly unsafe struct QuantizedActivations
{
    /// <summary>Values that share a scale.</summary>
    public const int BlockLength = 32;

    /// <summary>Places the planes into one piece of memory.</summary>
    /// <param name="memory">At least <see cref="Bytes"/> bytes, 64-byte aligned.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row; a multiple of 32.</param>
    /// <exception cref="ArgumentException">A size is negative, or <paramref name="columns"/> is not a multiple of 32.</exception>
    public QuantizedActivations(byte* memory, int rows, int columns)
    {
        if (rows < 0 || columns < 0 || columns % BlockLength != 0)
        {
            throw new ArgumentException(
                $"{nameof(QuantizedActivations)}: expected at least 0 rows and a multiple of {BlockLength} columns, found [{rows}, {columns}].",
                nameof(columns));
        }

        Rows = rows;
        Columns = columns;
        long values = (long)rows * columns;
        Codes = (sbyte*)memory;
        Scales = (float*)(memory + values);
        Sums32 = Scales + (values / 32);
        Sums16 = Sums32 + (values / 32);
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Values a row.</summary>
    public int Columns { get; }

    /// <summary>Codes, [rows, columns].</summary>
    public sbyte* Codes { get; }

    /// <summary>Scales, [rows, columns / 32].</summary>
    public float* Scales { get; }

    /// <summary>Scaled sums over 32 values, [rows, columns / 32].</summary>
    public float* Sums32 { get; }

    /// <summary>Scaled sums over 16 values, [rows, columns / 16].</summary>
    public float* Sums16 { get; }

    /// <summary>Memory that <paramref name="rows"/> rows need.</summary>
    public static long Bytes(int rows, int columns) => ((long)rows * columns) + (4L * rows * (columns / 32) * 4);

    /// <summary>Rounds row <paramref name="row"/>.</summary>
    /// <param name="values">The row's <see cref="Columns"/> values.</param>
    /// <param name="row">Where to store it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void QuantizeRow(float* values, int row)
    {
        int blocks = Columns / BlockLength;
        sbyte* codes = Codes + ((long)row * Columns);
        float* scales = Scales + ((long)row * blocks);
        float* sums32 = Sums32 + ((long)row * blocks);
        float* sums16 = Sums16 + ((long)row * blocks * 2);
        for (int block = 0; block < blocks; block++, values += BlockLength, codes += BlockLength)
        {
            float scale = RoundBlock(values, codes, out int sumLow, out int sumHigh);
            scales[block] = scale;
            sums16[2 * block] = scale * sumLow;
            sums16[(2 * block) + 1] = scale * sumHigh;
            sums32[block] = scale * (sumLow + sumHigh);
        }
    }

    /// <summary>Rounds a block, wherever its parts are stored.</summary>
    /// <returns>The scale.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float RoundBlock(float* values, sbyte* codes, out int sumLow, out int sumHigh)
    {
        var v0 = Vector256.Load(values);
        var v1 = Vector256.Load(values + 8);
        var v2 = Vector256.Load(values + 16);
        var v3 = Vector256.Load(values + 24);
        float max = MaxAcross(Vector256.Max(Vector256.Max(Magnitude(v0), Magnitude(v1)), Vector256.Max(Magnitude(v2), Magnitude(v3))));
        float scale = max / 127f;
        float inverse = max > 0f ? 127f / max : 0f;
        var factor = Vector256.Create(float.IsFinite(inverse) ? inverse : 0f);
        var q0 = ToInt32(v0 * factor);
        var q1 = ToInt32(v1 * factor);
        var q2 = ToInt32(v2 * factor);
        var q3 = ToInt32(v3 * factor);
        var narrow = Narrow(q0, q1, q2, q3);
        narrow.Store(codes);
        var sums = Sums(narrow, q0 + q1, q2 + q3);
        sumLow = sums.ToScalar();
        sumHigh = sums.GetUpper().ToScalar();
        return float.IsFinite(scale) ? scale : float.NaN;
    }

    /// <summary>Nearest integer, ties to even, by adding 1.5 · 2^23; exact for magnitudes below 2^22.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> ToInt32(Vector256<float> value)
    {
        var magic = Vector256.Create(12582912f);
        return (value + magic).AsInt32() - magic.AsInt32();
    }

    /// <summary>The bits of |value|, whose order as integers is that of the magnitudes, with what is no number above all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Magnitude(Vector256<float> value) => value.AsInt32() & Vector256.Create(int.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float MaxAcross(Vector256<int> value)
    {
        var half = Vector128.Max(value.GetLower(), value.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(1, 0, 3, 2)));
        return BitConverter.Int32BitsToSingle(half.ToScalar());
    }

    /// <summary>Numbers that fit a byte, as bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Narrow(Vector256<int> q0, Vector256<int> q1, Vector256<int> q2, Vector256<int> q3)
    {
        if (!Avx2.IsSupported) return Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3));
        var bytes = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(q0, q1), Avx2.PackSignedSaturate(q2, q3));
        return Avx2.PermuteVar8x32(bytes.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsSByte();
    }

    /// <summary>The sums of the first and of the last 16 codes, in the first place of each half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Sums(Vector256<sbyte> codes, Vector256<int> low, Vector256<int> high)
    {
        if (!Avx2.IsSupported) return Vector256.Create(Vector128.CreateScalar(Vector256.Sum(low)), Vector128.CreateScalar(Vector256.Sum(high)));
        var sums = Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Vector256<byte>.One, codes), Vector256<short>.One);
        sums += Avx2.Shuffle(sums, 0b_01_00_11_10);
        return sums + Avx2.Shuffle(sums, 0b_10_11_00_01);
    }
}
