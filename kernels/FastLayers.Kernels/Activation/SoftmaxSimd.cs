using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>The three passes of <see cref="Softmax"/>: maximum, exponentials with their sum, division.</summary>
internal readonly unsafe struct SoftmaxSimd : IRowKernel<float>
{
    /// <summary>One row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<TLanes>(float* x, float scale, float* y, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        var factor = TLanes.Broadcast(scale);
        var max = RowLoop.Max<TLanes, MultiplyBy<TLanes>>(new(factor), x, length);
        var sum = RowLoop.MapSum<TLanes, ExpOfDifference<TLanes>>(new(factor, TLanes.Broadcast(-max)), x, y, length);
        RowLoop.Map<TLanes, MultiplyBy<TLanes>>(new(TLanes.Broadcast(1 / sum)), y, y, length);
    }

    /// <summary>Σ e^(x[i] - max).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float SumOfExp<TLanes>(float* x, float max, int length) where TLanes : unmanaged, ILanes<TLanes> =>
        RowLoop.Sum<TLanes, ExpOfDifference<TLanes>>(new(TLanes.Broadcast(1f), TLanes.Broadcast(-max)), x, length);

    private readonly struct ExpOfDifference<TLanes>(TLanes scale, TLanes negatedMax) : IOperator1<TLanes>
        where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x) => LaneMath.Exp(TLanes.MultiplyAdd(x, scale, negatedMax));
    }
}
