using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pooling;

/// <summary>
/// Pools the rows of a sequence to one row, column by column: embeddings from hidden states. A NaN in a column makes its result NaN
/// (for <see cref="PoolingKind.First"/> and <see cref="PoolingKind.Last"/> only if that row holds it). Bound by reading the rows once.
/// </summary>
public static unsafe class RowPooling
{
    /// <summary>Pools all rows.</summary>
    /// <param name="kind">How.</param>
    /// <param name="x">The rows, [rows, columns]; at least one.</param>
    /// <param name="y">Receives one value a column.</param>
    /// <exception cref="ArgumentException">x is not one or more whole rows of the length of y, or y overlaps it.</exception>
    public static void Rows(PoolingKind kind, ReadOnlySpan<float> x, Span<float> y) => Rows(SimdDispatch.Level, kind, x, y);

    /// <summary>Pools all rows of a matrix that may be larger than a span.</summary>
    /// <param name="kind">How.</param>
    /// <param name="x">The rows, [rows, columns].</param>
    /// <param name="rows">Number of rows, positive.</param>
    /// <param name="columns">Values a row, positive.</param>
    /// <param name="y">Receives one value a column; apart from the rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no rows or columns, or the pooling is not defined.</exception>
    public static void Rows(PoolingKind kind, float* x, int rows, int columns, float* y)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        Pool(SimdDispatch.Level, kind, x, rows, columns, y);
    }

    internal static void Rows(SimdLevel level, PoolingKind kind, ReadOnlySpan<float> x, Span<float> y)
    {
        if (y.IsEmpty || x.IsEmpty || x.Length % y.Length != 0)
            throw new ArgumentException($"{nameof(RowPooling)}: expected one or more rows of {y.Length} columns, found {x.Length} values.", nameof(x));
        RowArguments.RequireApart(nameof(RowPooling), x, y, nameof(y));
        fixed (float* source = x, result = y) Pool(level, kind, source, x.Length / y.Length, y.Length, result);
    }

    private static void Pool(SimdLevel level, PoolingKind kind, float* x, int rows, int columns, float* y)
    {
        switch (kind)
        {
            case PoolingKind.First: Copy(x, y, columns); return;
            case PoolingKind.Last: Copy(x + ((rows - 1L) * columns), y, columns); return;
            case PoolingKind.Mean or PoolingKind.Max: break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined pooling.");
        }

        switch (level)
        {
            case SimdLevel.V128: RowPoolingSimd.Rows<Lanes128>(kind, x, rows, columns, y); break;
            case SimdLevel.V256: RowPoolingSimd.Rows<Lanes256>(kind, x, rows, columns, y); break;
            case SimdLevel.V512: RowPoolingSimd.Rows<Lanes512>(kind, x, rows, columns, y); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }

    private static void Copy(float* x, float* y, int columns) => new ReadOnlySpan<float>(x, columns).CopyTo(new Span<float>(y, columns));
}
