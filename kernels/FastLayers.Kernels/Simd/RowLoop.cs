using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Simd;

/// <summary>A function of one register, applied lane by lane; constants are fields, broadcast once.</summary>
internal interface IOperator1<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The function.</summary>
    TLanes Invoke(TLanes x);
}

/// <summary>A function of two registers, applied lane by lane.</summary>
internal interface IOperator2<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The function.</summary>
    TLanes Invoke(TLanes x, TLanes y);
}

/// <summary>A function of three registers, applied lane by lane.</summary>
internal interface IOperator3<TLanes> where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The function.</summary>
    TLanes Invoke(TLanes x, TLanes y, TLanes z);
}

/// <summary>
/// The loops over a row that most kernels consist of, generic over a small operator struct. The result may be the row that is read,
/// but not overlap it otherwise. Tails run the same operator on a partly filled register. Sums keep four registers, so that the order
/// of additions depends on the length and the register width alone, and long rows lose little.
/// </summary>
internal static unsafe class RowLoop
{
    /// <summary>result[i] = f(x[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TLanes, TOperator>(TOperator f, float* x, float* result, int length)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator1<TLanes>
    {
        var i = 0;
        for (; i <= length - TLanes.Count; i += TLanes.Count) f.Invoke(TLanes.Load(x + i)).Store(result + i);
        var left = length - i;
        if (left > 0) f.Invoke(TLanes.LoadPartial(x + i, left)).StorePartial(result + i, left);
    }

    /// <summary>result[i] = f(x[i], y[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TLanes, TOperator>(TOperator f, float* x, float* y, float* result, int length)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator2<TLanes>
    {
        var i = 0;
        for (; i <= length - TLanes.Count; i += TLanes.Count)
            f.Invoke(TLanes.Load(x + i), TLanes.Load(y + i)).Store(result + i);
        var left = length - i;
        if (left > 0)
            f.Invoke(TLanes.LoadPartial(x + i, left), TLanes.LoadPartial(y + i, left)).StorePartial(result + i, left);
    }

    /// <summary>result[i] = f(x[i], y[i], z[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TLanes, TOperator>(TOperator f, float* x, float* y, float* z, float* result, int length)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator3<TLanes>
    {
        var i = 0;
        for (; i <= length - TLanes.Count; i += TLanes.Count)
            f.Invoke(TLanes.Load(x + i), TLanes.Load(y + i), TLanes.Load(z + i)).Store(result + i);
        var left = length - i;
        if (left > 0)
            f.Invoke(TLanes.LoadPartial(x + i, left), TLanes.LoadPartial(y + i, left), TLanes.LoadPartial(z + i, left))
                .StorePartial(result + i, left);
    }

    /// <summary>Σ f(x[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum<TLanes, TOperator>(TOperator f, float* x, int length)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator1<TLanes>
    {
        TLanes sum0 = TLanes.Zero, sum1 = TLanes.Zero, sum2 = TLanes.Zero, sum3 = TLanes.Zero;
        var i = 0;
        for (; i <= length - 4 * TLanes.Count; i += 4 * TLanes.Count)
        {
            sum0 = TLanes.Add(sum0, f.Invoke(TLanes.Load(x + i)));
            sum1 = TLanes.Add(sum1, f.Invoke(TLanes.Load(x + i + TLanes.Count)));
            sum2 = TLanes.Add(sum2, f.Invoke(TLanes.Load(x + i + 2 * TLanes.Count)));
            sum3 = TLanes.Add(sum3, f.Invoke(TLanes.Load(x + i + 3 * TLanes.Count)));
        }

        for (; i < length; i += TLanes.Count)
        {
            var left = Math.Min(length - i, TLanes.Count);
            var value = f.Invoke(TLanes.LoadPartial(x + i, left));
            sum0 = TLanes.Add(sum0, TLanes.Select(TLanes.FirstLanes(left), value, TLanes.Zero));
        }

        return TLanes.Sum(TLanes.Add(TLanes.Add(sum0, sum1), TLanes.Add(sum2, sum3)));
    }

    /// <summary>result[i] = f(x[i]); returns the sum of the results.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float MapSum<TLanes, TOperator>(TOperator f, float* x, float* result, int length)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator1<TLanes>
    {
        TLanes sum0 = TLanes.Zero, sum1 = TLanes.Zero, sum2 = TLanes.Zero, sum3 = TLanes.Zero;
        var i = 0;
        for (; i <= length - 4 * TLanes.Count; i += 4 * TLanes.Count)
        {
            var value0 = f.Invoke(TLanes.Load(x + i));
            var value1 = f.Invoke(TLanes.Load(x + i + TLanes.Count));
            var value2 = f.Invoke(TLanes.Load(x + i + 2 * TLanes.Count));
            var value3 = f.Invoke(TLanes.Load(x + i + 3 * TLanes.Count));
            value0.Store(result + i);
            value1.Store(result + i + TLanes.Count);
            value2.Store(result + i + 2 * TLanes.Count);
            value3.Store(result + i + 3 * TLanes.Count);
            sum0 = TLanes.Add(sum0, value0);
            sum1 = TLanes.Add(sum1, value1);
            sum2 = TLanes.Add(sum2, value2);
            sum3 = TLanes.Add(sum3, value3);
        }

        for (; i < length; i += TLanes.Count)
        {
            var left = Math.Min(length - i, TLanes.Count);
            var value = f.Invoke(TLanes.LoadPartial(x + i, left));
            value.StorePartial(result + i, left);
            sum0 = TLanes.Add(sum0, TLanes.Select(TLanes.FirstLanes(left), value, TLanes.Zero));
        }

        return TLanes.Sum(TLanes.Add(TLanes.Add(sum0, sum1), TLanes.Add(sum2, sum3)));
    }

    /// <summary>The largest f(x[i]), -∞ for an empty row. NaN is skipped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Max<TLanes, TOperator>(TOperator f, float* x, int length)
        where TLanes : unmanaged, ILanes<TLanes> where TOperator : struct, IOperator1<TLanes>
    {
        var lowest = TLanes.Broadcast(float.NegativeInfinity);
        TLanes max0 = lowest, max1 = lowest;
        var i = 0;
        for (; i <= length - 2 * TLanes.Count; i += 2 * TLanes.Count)
        {
            max0 = Larger(max0, f.Invoke(TLanes.Load(x + i)));
            max1 = Larger(max1, f.Invoke(TLanes.Load(x + i + TLanes.Count)));
        }

        for (; i < length; i += TLanes.Count)
        {
            var left = Math.Min(length - i, TLanes.Count);
            var value = f.Invoke(TLanes.LoadPartial(x + i, left));
            max0 = Larger(max0, TLanes.Select(TLanes.FirstLanes(left), value, lowest));
        }

        return TLanes.MaxAcross(Larger(max0, max1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Larger<TLanes>(TLanes max, TLanes value) where TLanes : unmanaged, ILanes<TLanes> =>
        TLanes.Select(TLanes.LessThan(max, value), value, max);
}
