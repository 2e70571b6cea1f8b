using System.Numerics;
using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Selection;

/// <summary>The two passes of <see cref="ArgMax"/>.</summary>
internal static unsafe class ArgMaxSimd
{
    /// <summary>One row. Without any number the maximum is -∞, which then is not found.</summary>
    public static int Row<TLanes>(float* x, int length) where TLanes : unmanaged, ILanes<TLanes> =>
        IndexOf<TLanes>(x, RowLoop.Max<TLanes, Identity<TLanes>>(default, x, length), length);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int IndexOf<TLanes>(float* x, float value, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        var wanted = TLanes.Broadcast(value);
        var i = 0;
        for (; i <= length - TLanes.Count; i += TLanes.Count)
        {
            var found = TLanes.MaskBits(TLanes.Equal(TLanes.Load(x + i), wanted));
            if (found != 0) return i + BitOperations.TrailingZeroCount(found);
        }

        var left = length - i;
        if (left == 0) return -1;
        var last = TLanes.MaskBits(TLanes.Equal(TLanes.LoadPartial(x + i, left), wanted)) & ((1u << left) - 1);
        return last == 0 ? -1 : i + BitOperations.TrailingZeroCount(last);
    }
}
