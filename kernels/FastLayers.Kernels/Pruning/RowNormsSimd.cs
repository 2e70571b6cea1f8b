using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>The passes of <see cref="RowNorms"/>: registers of sums, each with one of what rounding added to it.</summary>
internal static unsafe class RowNormsSimd
{
    /// <summary>√Σx².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Norm<TLanes>(float* x, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes sum0 = TLanes.Zero, excess0 = TLanes.Zero, sum1 = TLanes.Zero, excess1 = TLanes.Zero;
        int i = 0;
        for (; i <= length - (2 * TLanes.Count); i += 2 * TLanes.Count)
        {
            AddSquare(TLanes.Load(x + i), ref sum0, ref excess0);
            AddSquare(TLanes.Load(x + i + TLanes.Count), ref sum1, ref excess1);
        }

        // The lanes behind the end are 0 and add nothing.
        for (; i < length; i += TLanes.Count) AddSquare(TLanes.LoadPartial(x + i, Math.Min(length - i, TLanes.Count)), ref sum0, ref excess0);
        float squares = TLanes.Sum(TLanes.Add(sum0, sum1));

        // The compensation turns an infinite sum into NaN.
        if (float.IsNaN(squares)) squares = RowLoop.Sum<TLanes, SquareOf<TLanes>>(default, x, length);
        return MathF.Sqrt(squares);
    }

    /// <summary>√Σ(y - x)² / √Σx².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float RelativeChange<TLanes>(float* x, float* y, int length) where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes sum = TLanes.Zero, excess = TLanes.Zero, changes = TLanes.Zero, changesExcess = TLanes.Zero, plain = TLanes.Zero;
        for (int i = 0; i < length; i += TLanes.Count)
        {
            int left = Math.Min(length - i, TLanes.Count);
            TLanes before = left == TLanes.Count ? TLanes.Load(x + i) : TLanes.LoadPartial(x + i, left);
            TLanes after = left == TLanes.Count ? TLanes.Load(y + i) : TLanes.LoadPartial(y + i, left);
            var change = TLanes.Subtract(after, before);
            AddSquare(before, ref sum, ref excess);
            AddSquare(change, ref changes, ref changesExcess);
            plain = TLanes.MultiplyAdd(change, change, plain);
        }

        // The compensation turns an infinite sum into NaN.
        float changed = TLanes.Sum(changes);
        if (float.IsNaN(changed)) changed = TLanes.Sum(plain);
        float squares = TLanes.Sum(sum);
        if (float.IsNaN(squares)) squares = RowLoop.Sum<TLanes, SquareOf<TLanes>>(default, x, length);
        return changed == 0 && !float.IsNaN(squares) ? 0 : MathF.Sqrt(changed) / MathF.Sqrt(squares);
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
