using System.Numerics;
using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Selection;

/// <summary>The pass of <see cref="TopK"/>.</summary>
internal static unsafe class TopKSimd
{
    /// <summary>Offers every number of the row to the heap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<TLanes>(float* x, int length, ref WorstFirstHeap heap) where TLanes : unmanaged, ILanes<TLanes>
    {
        var i = 0;
        for (; i < length && !heap.IsFull; i++)
            if (!float.IsNaN(x[i])) heap.Push(i, x[i]);
        if (heap.Count == 0) return;

        var threshold = TLanes.Broadcast(heap.Threshold);
        while (i < length)
        {
            // A partial load fills up with zeros, which the mask drops.
            var left = Math.Min(length - i, TLanes.Count);
            var values = left == TLanes.Count ? TLanes.Load(x + i) : TLanes.LoadPartial(x + i, left);
            var larger = TLanes.MaskBits(TLanes.LessThan(threshold, values)) & ((1u << left) - 1);
            if (larger != 0)
            {
                Offer(x, i, larger, ref heap);
                threshold = TLanes.Broadcast(heap.Threshold);
            }

            i += left;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Offer(float* x, int start, uint candidates, ref WorstFirstHeap heap)
    {
        for (; candidates != 0; candidates &= candidates - 1)
        {
            var index = start + BitOperations.TrailingZeroCount(candidates);
            if (x[index] > heap.Threshold) heap.ReplaceRoot(index, x[index]);
        }
    }
}
