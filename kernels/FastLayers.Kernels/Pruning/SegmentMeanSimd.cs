using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>The loops of <see cref="SegmentMean"/>: an anchor gathers its members, row by row, into the output.</summary>
internal static unsafe class SegmentMeanSimd
{
    /// <summary>Merges all groups.</summary>
    public static void Merge<TLanes>(MergeMode mode, float* anchors, int anchorCount, float* members, int* groups, int memberCount, int columns, float* output)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int anchor = 0; anchor < anchorCount; anchor++)
        {
            float* center = anchors + ((long)anchor * columns);
            float* result = output + ((long)anchor * columns);
            new Span<float>(result, columns).Clear();
            int count = 0;
            for (int member = 0; member < memberCount; member++)
            {
                if (groups[member] != anchor) continue;
                RowLoop.Map<TLanes, Sum<TLanes>>(default, members + ((long)member * columns), result, result, columns);
                count++;
            }

            if (mode == MergeMode.Mean) RowLoop.Map<TLanes, SumTimes<TLanes>>(new(TLanes.Broadcast(1f / (count + 1))), center, result, result, columns);
            else RowLoop.Map<TLanes, PlusScaled<TLanes>>(new(TLanes.Broadcast(1f / Math.Max(count, 1))), center, result, result, columns);
        }
    }

    private readonly struct Sum<TLanes> : IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes y) => TLanes.Add(x, y);
    }

    private readonly struct SumTimes<TLanes>(TLanes factor) : IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes y) => TLanes.Multiply(TLanes.Add(x, y), factor);
    }

    private readonly struct PlusScaled<TLanes>(TLanes factor) : IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke(TLanes x, TLanes y) => TLanes.MultiplyAdd(y, factor, x);
    }
}
