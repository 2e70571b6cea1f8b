using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>The two passes of <see cref="RmsNorm"/>: a sum of squares, then one or two multiplications a value.</summary>
internal static unsafe class RmsNormSimd
{
    /// <summary>One row; a null <paramref name="weight"/> means 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<TLanes>(float* x, float* weight, float epsilon, float* y, int length)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var squares = RowLoop.Sum<TLanes, SquareOf<TLanes>>(default, x, length);
        var factor = TLanes.Broadcast(1 / MathF.Sqrt(squares / length + epsilon));
        if (weight == null) RowLoop.Map<TLanes, MultiplyBy<TLanes>>(new(factor), x, y, length);
        else RowLoop.Map<TLanes, MultiplyByAndWeight<TLanes>>(new(factor), x, weight, y, length);
    }

    private readonly struct MultiplyByAndWeight<TLanes>(TLanes factor) : IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes weight) => TLanes.Multiply(TLanes.Multiply(x, factor), weight);
    }
}
