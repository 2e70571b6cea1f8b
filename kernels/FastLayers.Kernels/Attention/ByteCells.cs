using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>
/// Four unsigned codes from 0 to 15, 8 too large, multiplied and added by <c>vpmaddubsw</c>. Operands are rounded to 7 bits and a sign. Sums of even and odd
/// pairs stay apart, in 16 bits; they begin with -8 times the sum of the operand, which keeps them within ±8 · 127 · 16, and takes the 8 out of the codes.
/// </summary>
internal readonly unsafe struct ByteCells : IQueryCells
{
    private const float Largest = sbyte.MaxValue;
    private const byte ZeroPoint = 8;

    public static int PerCell => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Begin(int* operand) => Vector256.Create(*operand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sums, Vector256<int> cells, Vector256<int> operand) =>
        (sums.AsInt16() + Avx2.MultiplyAddAdjacent(cells.AsByte(), operand.AsSByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Total(Vector256<int> sums) =>
        Vector256.ConvertToSingle(Avx2.MultiplyAddAdjacent(sums.AsInt16(), Vector256<short>.One));

    public static float Query(float* query, float scale, int* operand)
    {
        var factor = Vector256.Create(CellRounding.Factor(CellRounding.LargestOfBlock(query), Largest, out float unit));
        var packed = Avx2.PackSignedSaturate(
            CellRounding.Sixteen(Vector256.Load(query), Vector256.Load(query + 8), factor), CellRounding.Sixteen(Vector256.Load(query + 16), Vector256.Load(query + 24), factor));
        var codes = Avx2.Permute4x64(packed.AsInt64(), 0b11_01_10_00).AsSByte();
        codes.Store((sbyte*)operand);

        // Sums of even and odd pairs, each over the eight cells.
        var pairs = Avx2.MultiplyAddAdjacent(Vector256.Create(ZeroPoint), codes);
        var four = pairs.GetLower() + pairs.GetUpper();
        var two = four + Vector128.Shuffle(four.AsInt32(), Vector128.Create(2, 3, 0, 1)).AsInt16();
        var one = two + Vector128.Shuffle(two.AsInt32(), Vector128.Create(1, 0, 3, 2)).AsInt16();
        operand[CachedRow.BlockLength / PerCell] = (-one).AsInt32().ToScalar();
        return unit * scale;
    }
}
