using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Normalize;

/// <summary>The pass of <see cref="AddNorm"/>: two registers of sums, each with one of what rounding added to it.</summary>
internal static unsafe class AddNormSimd
{
    /// <summary>One row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Row<TLanes>(float* residual, float* x, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes sum0 = TLanes.Zero, excess0 = TLanes.Zero, sum1 = TLanes.Zero, excess1 = TLanes.Zero;
        var i = 0;
        for (; i <= length - 2 * TLanes.Count; i += 2 * TLanes.Count)
        {
            var value0 = TLanes.Add(TLanes.Load(x + i), TLanes.Load(residual + i));
            var value1 = TLanes.Add(TLanes.Load(x + i + TLanes.Count), TLanes.Load(residual + i + TLanes.Count));
            value0.Store(x + i);
            value1.Store(x + i + TLanes.Count);
            AddSquare(value0, ref sum0, ref excess0);
            AddSquare(value1, ref sum1, ref excess1);
        }

        for (; i < length; i += TLanes.Count)
        {
            // The lanes behind the end are 0 and add nothing.
            var left = Math.Min(length - i, TLanes.Count);
            var value = TLanes.Add(TLanes.LoadPartial(x + i, left), TLanes.LoadPartial(residual + i, left));
            value.StorePartial(x + i, left);
            AddSquare(value, ref sum0, ref excess0);
        }

        var squares = TLanes.Sum(TLanes.Add(sum0, sum1));

        // The compensation turns an infinite sum into NaN.
        if (float.IsNaN(squares)) squares = RowLoop.Sum<TLanes, SquareOf<TLanes>>(default, x, length);
        return MathF.Sqrt(squares);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSquare<TLanes>(TLanes value, ref TLanes sum, ref TLanes excess) where TLanes : unmanaged, ILanes<TLanes>
    {
        var summand = TLanes.Subtract(TLanes.Multiply(value, value), excess);
        var next = TLanes.Add(sum, summand);
        excess = TLanes.Subtract(TLanes.Subtract(next, sum), summand);
        sum = next;
    }
}
