using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>The two passes of <see cref="L2Normalize"/>: a sum of squares, then one multiplication a value.</summary>
internal readonly unsafe struct L2NormalizeSimd : IRowKernel<float>
{
    /// <summary>One row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<TLanes>(float* x, float epsilon, float* y, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        var norm = MathF.Sqrt(RowLoop.Sum<TLanes, SquareOf<TLanes>>(default, x, length));
        RowLoop.Map<TLanes, MultiplyBy<TLanes>>(new(TLanes.Broadcast(1 / MathF.Max(norm, epsilon))), x, y, length);
    }
}
