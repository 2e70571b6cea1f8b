using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Gather;

/// <summary>
/// Moves whole rows by index: gathering them, adding them back with weights, and closing the gaps that dropped rows leave. Bound by memory.
/// </summary>
public static class RowMoves
{
    /// <summary>output[r] = input[indices[r]].</summary>
    /// <param name="input">Rows to choose from, [rows, columns].</param>
    /// <param name="indices">The rows wanted, any number of times, in any order.</param>
    /// <param name="columns">Values a row, positive.</param>
    /// <param name="output">Receives the rows, [indices, columns]; apart from the input.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the output overlaps the input. Nothing is written then.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a row of the input. Nothing is written then.</exception>
    public static void Gather(ReadOnlySpan<float> input, ReadOnlySpan<int> indices, int columns, Span<float> output)
    {
        int rows = RowCount(input.Length, columns, nameof(input));
        RequireRows(indices.Length, columns, output.Length, nameof(output));
        RequireIndices(indices, rows);
        RowArguments.RequireApart(nameof(RowMoves), input, output, nameof(output));
        for (int r = 0; r < indices.Length; r++) input.Slice(indices[r] * columns, columns).CopyTo(output.Slice(r * columns, columns));
    }

    /// <summary>target[indices[r]] += weights[r] · source[r], in the order of r where an index comes more than once.</summary>
    /// <param name="source">Rows that are added, [indices, columns].</param>
    /// <param name="weights">One factor a row of the source; empty means 1.</param>
    /// <param name="indices">The row of the target for each row of the source.</param>
    /// <param name="columns">Values a row, positive.</param>
    /// <param name="target">The rows that are added to, [rows, columns]; apart from the source.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the target overlaps the source. Nothing is changed then.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a row of the target. Nothing is changed then.</exception>
    public static void ScatterAdd(ReadOnlySpan<float> source, ReadOnlySpan<float> weights, ReadOnlySpan<int> indices, int columns, Span<float> target) =>
        ScatterAdd(SimdDispatch.Level, source, weights, indices, columns, target);

    /// <summary>The positions of the flags that are not 0, in rising order.</summary>
    /// <param name="keep">One flag a row.</param>
    /// <param name="indices">Receives the positions, then -1; as long as <paramref name="keep"/>, and apart from it.</param>
    /// <returns>How many there are.</returns>
    /// <exception cref="ArgumentException">The lengths differ, or the result overlaps the flags.</exception>
    public static int FindKept(ReadOnlySpan<int> keep, Span<int> indices)
    {
        RowArguments.RequireLength(nameof(RowMoves), keep.Length, indices.Length, nameof(indices));
        if (keep.Overlaps(indices)) throw new ArgumentException("The result overlaps the flags.", nameof(indices));

        // Without a branch: the next place is written in any case, and only kept if the flag is set. It is never behind the position.
        int count = 0;
        for (int i = 0; i < keep.Length; i++)
        {
            indices[count] = i;
            count += keep[i] != 0 ? 1 : 0;
        }

        indices[count..].Fill(-1);
        return count;
    }

    /// <summary>Moves the kept rows to the front, in their order: rows[r] = rows[kept[r]]. The rows behind them stay as they are.</summary>
    /// <param name="rows">The rows, [rows, columns].</param>
    /// <param name="kept">The rows to keep, strictly rising, as <see cref="FindKept"/> gives them.</param>
    /// <param name="columns">Values a row, positive.</param>
    /// <exception cref="ArgumentException">The rows are not whole, or the indices do not rise. Nothing is moved then.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a row. Nothing is moved then.</exception>
    public static void Compact(Span<float> rows, ReadOnlySpan<int> kept, int columns)
    {
        RequireIndices(kept, RowCount(rows.Length, columns, nameof(rows)));
        for (int r = 1; r < kept.Length; r++)
        {
            if (kept[r] <= kept[r - 1])
                throw new ArgumentException($"Expected rising indices, found {kept[r - 1]} before {kept[r]} at {r}.", nameof(kept));
        }

        for (int r = 0; r < kept.Length; r++)
        {
            if (kept[r] != r) rows.Slice(kept[r] * columns, columns).CopyTo(rows.Slice(r * columns, columns));
        }
    }

    internal static void ScatterAdd(
        SimdLevel level, ReadOnlySpan<float> source, ReadOnlySpan<float> weights, ReadOnlySpan<int> indices, int columns, Span<float> target)
    {
        int rows = RowCount(target.Length, columns, nameof(target));
        RequireRows(indices.Length, columns, source.Length, nameof(source));
        if (!weights.IsEmpty) RowArguments.RequireLength(nameof(RowMoves), indices.Length, weights.Length, nameof(weights));
        RequireIndices(indices, rows);
        RowArguments.RequireApart(nameof(RowMoves), source, target, nameof(target));
        for (int r = 0; r < indices.Length; r++)
        {
            var sum = target.Slice(indices[r] * columns, columns);
            var summands = source.Slice(r * columns, columns);
            if (weights.IsEmpty) RowArithmetic.Add(level, summands, sum);
            else RowArithmetic.AddScaled(level, weights[r], summands, sum);
        }
    }

    private static int RowCount(int length, int columns, string parameter)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (length % columns != 0) throw new ArgumentException($"Expected whole rows of {columns} columns, found {length} values.", parameter);
        return length / columns;
    }

    private static void RequireRows(int rows, int columns, int length, string parameter)
    {
        if ((long)rows * columns != length)
            throw new ArgumentException($"Expected {rows} rows of {columns} columns, found {length} values.", parameter);
    }

    private static void RequireIndices(ReadOnlySpan<int> indices, int rows)
    {
        for (int r = 0; r < indices.Length; r++)
        {
            if ((uint)indices[r] >= (uint)rows)
                throw new ArgumentOutOfRangeException(nameof(indices), indices[r], $"Index {r} should be a row below {rows}.");
        }
    }
}
