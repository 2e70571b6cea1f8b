using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>The three passes of <see cref="LayerNorm"/>: mean, squares around it, result.</summary>
internal static unsafe class LayerNormSimd
{
    /// <summary>One row; a null <paramref name="weight"/> means 1, a null <paramref name="bias"/> 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<TLanes>(float* x, float* weight, float* bias, float epsilon, float* y, int length)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var mean = TLanes.Broadcast(RowLoop.Sum<TLanes, Identity<TLanes>>(default, x, length) / length);
        var variance = RowLoop.Sum<TLanes, SquareAround<TLanes>>(new(mean), x, length) / length;
        var inverse = TLanes.Broadcast(1 / MathF.Sqrt(variance + epsilon));
        if (weight == null) RowLoop.Map<TLanes, Standardize<TLanes>>(new(mean, inverse), x, y, length);
        else if (bias == null) RowLoop.Map<TLanes, StandardizeAndWeight<TLanes>>(new(mean, inverse), x, weight, y, length);
        else RowLoop.Map<TLanes, StandardizeWeightAndBias<TLanes>>(new(mean, inverse), x, weight, bias, y, length);
    }

    private readonly struct SquareAround<TLanes>(TLanes mean) : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x)
        {
            var difference = TLanes.Subtract(x, mean);
            return TLanes.Multiply(difference, difference);
        }
    }

    private readonly struct Standardize<TLanes>(TLanes mean, TLanes inverse) : IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x) => TLanes.Multiply(TLanes.Subtract(x, mean), inverse);
    }

    private readonly struct StandardizeAndWeight<TLanes>(TLanes mean, TLanes inverse) : IOperator2<TLanes>
        where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes weight) => TLanes.Multiply(TLanes.Multiply(TLanes.Subtract(x, mean), inverse), weight);
    }

    private readonly struct StandardizeWeightAndBias<TLanes>(TLanes mean, TLanes inverse) : IOperator3<TLanes>
        where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes weight, TLanes bias) =>
            TLanes.MultiplyAdd(TLanes.Multiply(TLanes.Subtract(x, mean), inverse), weight, bias);
    }
}
