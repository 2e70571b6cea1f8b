using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pooling;

/// <summary>
/// The column loops of <see cref="RowPooling"/>: one register of columns runs down all rows. Sums are closed every
/// <see cref="RowsPerPartialSum"/> rows, so that the rounding error of a mean stays small for long sequences.
/// </summary>
internal static unsafe class RowPoolingSimd
{
    // With 64 rows a partial sum, 4,096 rows take 64 + 64 additions in a row instead of 4,096.
    private const int RowsPerPartialSum = 64;

    /// <summary>Mean or maximum of <paramref name="rows"/> rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<TLanes>(PoolingKind kind, float* x, int rows, int columns, float* y) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var column = 0; column < columns; column += TLanes.Count)
        {
            var left = Math.Min(columns - column, TLanes.Count);
            var pooled = kind == PoolingKind.Mean
                ? TLanes.Multiply(Sum<TLanes>(x + column, rows, columns, left), TLanes.Broadcast(1f / rows))
                : Max<TLanes>(x + column, rows, columns, left);
            pooled.StorePartial(y + column, left);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Sum<TLanes>(float* x, int rows, int columns, int left) where TLanes : unmanaged, ILanes<TLanes>
    {
        var total = TLanes.Zero;
        for (var row = 0; row < rows;)
        {
            var partial = TLanes.Zero;
            for (var end = Math.Min(row + RowsPerPartialSum, rows); row < end; row++)
                partial = TLanes.Add(partial, Load<TLanes>(x + (long)row * columns, left));
            total = TLanes.Add(total, partial);
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Max<TLanes>(float* x, int rows, int columns, int left) where TLanes : unmanaged, ILanes<TLanes>
    {
        var max = Load<TLanes>(x, left);
        for (var row = 1; row < rows; row++)
        {
            // Max keeps a NaN of its second operand, the maximum so far; one of the row itself is not equal to itself.
            var value = Load<TLanes>(x + (long)row * columns, left);
            max = TLanes.Select(TLanes.Equal(value, value), TLanes.Max(value, max), value);
        }

        return max;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Load<TLanes>(float* x, int left) where TLanes : unmanaged, ILanes<TLanes> =>
        left == TLanes.Count ? TLanes.Load(x) : TLanes.LoadPartial(x, left);
}
