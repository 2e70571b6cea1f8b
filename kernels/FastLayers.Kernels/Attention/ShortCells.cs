using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Two codes of 16 bits, multiplied and added by <c>vpmaddwd</c>. Operands are rounded to 15 bits and a sign, cached codes have at most 8, so that a page of 64
/// products stays below 2^29.
/// </summary>
internal readonly unsafe struct ShortCells : IQueryCells, IWeightCells
{
    private const float Largest = short.MaxValue;

    public static int PerCell => 2;

    public static bool Rounds => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Begin(int* operand) => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sums, Vector256<int> cells, Vector256<int> operand) => AvxVnni.IsSupported
        ? AvxVnni.MultiplyWideningAndAdd(sums, cells.AsInt16(), operand.AsInt16())
        : sums + Avx2.MultiplyAddAdjacent(cells.AsInt16(), operand.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Total(Vector256<int> sums) => Vector256.ConvertToSingle(sums);

    /// <summary>Of every four values the first and third, then the second and fourth share a cell, as <see cref="Q8Panel"/> takes bytes apart.</summary>
    public static float Query(float* query, float scale, int* operand)
    {
        float factor = CellRounding.Factor(CellRounding.LargestOfBlock(query), Largest, out float unit);
        for (int i = 0; i < CachedRow.BlockLength; i += Vector256<short>.Count)
        {
            var codes = CellRounding.Sixteen(Vector256.Load(query + i), Vector256.Load(query + i + 8), Vector256.Create(factor));
            Avx2.ShuffleHigh(Avx2.ShuffleLow(codes, 0b11_01_10_00), 0b11_01_10_00).Store((short*)operand + i);
        }

        return unit * scale;
    }

    /// <summary>
    /// The unit follows from the largest product, not from the largest weight: a token that takes nearly all of the weight often has a small value, and must not
    /// take the precision of the others.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Weights(float* weights, float* scales, int* operand)
    {
        var p0 = Vector256.Load(weights) * Vector256.Load(scales);
        var p1 = Vector256.Load(weights + 8) * Vector256.Load(scales + 8);
        var p2 = Vector256.Load(weights + 16) * Vector256.Load(scales + 16);
        var p3 = Vector256.Load(weights + 24) * Vector256.Load(scales + 24);
        var p4 = Vector256.Load(weights + 32) * Vector256.Load(scales + 32);
        var p5 = Vector256.Load(weights + 40) * Vector256.Load(scales + 40);
        var p6 = Vector256.Load(weights + 48) * Vector256.Load(scales + 48);
        var p7 = Vector256.Load(weights + 56) * Vector256.Load(scales + 56);
        var largest = Vector256.MaxNative(
            Vector256.MaxNative(Larger(p0, p1), Larger(p2, p3)),
            Vector256.MaxNative(Larger(p4, p5), Larger(p6, p7)));
        var factor = Vector256.Create(CellRounding.Factor(CellRounding.Largest(largest), Largest, out float unit));
        CellRounding.Sixteen(p0, p1, factor).Store((short*)operand);
        CellRounding.Sixteen(p2, p3, factor).Store((short*)operand + 16);
        CellRounding.Sixteen(p4, p5, factor).Store((short*)operand + 32);
        CellRounding.Sixteen(p6, p7, factor).Store((short*)operand + 48);
        return unit;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Larger(Vector256<float> a, Vector256<float> b) => Vector256.MaxNative(Vector256.Abs(a), Vector256.Abs(b));
}
