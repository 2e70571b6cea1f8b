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

    internal static void Rows(SimdLevel level, PoolingKind kind, ReadOnlySpan<float> x, Span<float> y)
    {
        if (y.IsEmpty || x.IsEmpty || x.Length % y.Length != 0)
            throw new ArgumentException($"{nameof(RowPooling)}: expected one or more rows of {y.Length} columns, found {x.Length} values.", nameof(x));
        RowArguments.RequireApart(nameof(RowPooling), x, y, nameof(y));
        switch (kind)
        {
            case PoolingKind.First: x[..y.Length].CopyTo(y); return;
            case PoolingKind.Last: x[^y.Length..].CopyTo(y); return;
            case PoolingKind.Mean or PoolingKind.Max: break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined pooling.");
        }

        fixed (float* source = x, result = y)
        {
            var rows = x.Length / y.Length;
            switch (level)
            {
                case SimdLevel.V128: RowPoolingSimd.Rows<Lanes128>(kind, source, rows, y.Length, result); break;
                case SimdLevel.V256: RowPoolingSimd.Rows<Lanes256>(kind, source, rows, y.Length, result); break;
                case SimdLevel.V512: RowPoolingSimd.Rows<Lanes512>(kind, source, rows, y.Length, result); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
