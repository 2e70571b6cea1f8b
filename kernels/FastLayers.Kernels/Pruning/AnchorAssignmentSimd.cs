using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>The loops of <see cref="AnchorAssignment"/>: anchors outside, whose length is computed once, members inside.</summary>
internal static unsafe class AnchorAssignmentSimd
{
    /// <summary>Assigns all members.</summary>
    public static void Assign<TLanes>(float* members, int memberCount, float* anchors, int anchorCount, int columns, int* groups, float* cosines)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int anchor = 0; anchor < anchorCount; anchor++)
        {
            float* center = anchors + ((long)anchor * columns);
            float inverse = InverseOrZero(Dot<TLanes>(center, center, columns));
            for (int member = 0; member < memberCount; member++)
            {
                // The length of the member changes no order; it comes in at the end.
                float product = Dot<TLanes>(members + ((long)member * columns), center, columns) * inverse;
                if (anchor > 0 && !(product > cosines[member])) continue;
                cosines[member] = product;
                groups[member] = anchor;
            }
        }

        for (int member = 0; member < memberCount; member++)
        {
            float* row = members + ((long)member * columns);
            cosines[member] *= InverseOrZero(Dot<TLanes>(row, row, columns));
        }
    }

    private static float InverseOrZero(float squares) => squares == 0 ? 0 : 1 / MathF.Sqrt(squares);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot<TLanes>(float* x, float* y, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes sum0 = TLanes.Zero, sum1 = TLanes.Zero, sum2 = TLanes.Zero, sum3 = TLanes.Zero;
        int i = 0;
        for (; i <= length - (4 * TLanes.Count); i += 4 * TLanes.Count)
        {
            sum0 = TLanes.MultiplyAdd(TLanes.Load(x + i), TLanes.Load(y + i), sum0);
            sum1 = TLanes.MultiplyAdd(TLanes.Load(x + i + TLanes.Count), TLanes.Load(y + i + TLanes.Count), sum1);
            sum2 = TLanes.MultiplyAdd(TLanes.Load(x + i + (2 * TLanes.Count)), TLanes.Load(y + i + (2 * TLanes.Count)), sum2);
            sum3 = TLanes.MultiplyAdd(TLanes.Load(x + i + (3 * TLanes.Count)), TLanes.Load(y + i + (3 * TLanes.Count)), sum3);
        }

        for (; i < length; i += TLanes.Count)
        {
            int left = Math.Min(length - i, TLanes.Count);
            sum0 = TLanes.MultiplyAdd(TLanes.LoadPartial(x + i, left), TLanes.LoadPartial(y + i, left), sum0);
        }

        return TLanes.Sum(TLanes.Add(TLanes.Add(sum0, sum1), TLanes.Add(sum2, sum3)));
    }
}
