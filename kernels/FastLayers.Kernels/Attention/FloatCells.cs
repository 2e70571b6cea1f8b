using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>A float each.</summary>
internal readonly unsafe struct FloatCells : IQueryCells, IWeightCells
{
    public static int PerCell => 1;

    public static bool Rounds => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Begin(int* operand) => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sums, Vector256<int> cells, Vector256<int> operand) =>
        Vector256.MultiplyAddEstimate(cells.AsSingle(), operand.AsSingle(), sums.AsSingle()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Total(Vector256<int> sums) => sums.AsSingle();

    public static float Query(float* query, float scale, int* operand)
    {
        for (int i = 0; i < CachedRow.BlockLength; i += Vector256<float>.Count) (Vector256.Load(query + i) * scale).Store((float*)operand + i);
        return 1;
    }

    public static float Weights(float* weights, float* scales, int* operand)
    {
        for (int i = 0; i < PagedCache.PageLength; i += Vector256<float>.Count) (Vector256.Load(weights + i) * Vector256.Load(scales + i)).Store((float*)operand + i);
        return 1;
    }
}
