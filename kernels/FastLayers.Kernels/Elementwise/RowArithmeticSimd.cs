using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Elementwise;

/// <summary>The loops of <see cref="RowArithmetic"/>.</summary>
internal static unsafe class RowArithmeticSimd
{
    /// <summary>y[i] += x[i].</summary>
    public static void Add<TLanes>(float* x, float* y, int length) where TLanes : unmanaged, ILanes<TLanes> =>
        RowLoop.Map<TLanes, SumOf<TLanes>>(default, x, y, y, length);

    /// <summary>y[i] += factor · x[i].</summary>
    public static void AddScaled<TLanes>(float factor, float* x, float* y, int length) where TLanes : unmanaged, ILanes<TLanes> =>
        RowLoop.Map<TLanes, ScaledSumOf<TLanes>>(new(TLanes.Broadcast(factor)), x, y, y, length);

    /// <summary>y[i] *= factor.</summary>
    public static void Scale<TLanes>(float factor, float* y, int length) where TLanes : unmanaged, ILanes<TLanes> =>
        RowLoop.Map<TLanes, MultiplyBy<TLanes>>(new(TLanes.Broadcast(factor)), y, y, length);

    private readonly struct SumOf<TLanes> : IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes y) => TLanes.Add(x, y);
    }

    private readonly struct ScaledSumOf<TLanes>(TLanes factor) : IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes y) => TLanes.MultiplyAdd(x, factor, y);
    }
}
