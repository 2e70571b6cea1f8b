using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Selection;

/// <summary>
/// The k largest values in falling order, for sampling and expert routing. One pass that compares a register with the least value kept so
/// far; only values above it reach a heap inside the result. Bound by reading the row as long as k is small beside it.
/// </summary>
public static unsafe class TopK
{
    /// <summary>Selects as many values as the results hold.</summary>
    /// <param name="x">The row. NaN is never chosen; of equal values (-0 and 0 are equal) the lower index comes first.</param>
    /// <param name="indices">Receives the positions, by falling value; -1 where the row has too few numbers.</param>
    /// <param name="values">Receives the values; -∞ where the row has too few numbers. As long as <paramref name="indices"/>.</param>
    /// <returns>How many were found.</returns>
    /// <exception cref="ArgumentException">The results differ in length, or overlap x.</exception>
    public static int Row(ReadOnlySpan<float> x, Span<int> indices, Span<float> values) => Row(SimdDispatch.Level, x, indices, values);

    internal static int Row(SimdLevel level, ReadOnlySpan<float> x, Span<int> indices, Span<float> values)
    {
        RowArguments.RequireLength(nameof(TopK), indices.Length, values.Length, nameof(values));
        RowArguments.RequireApart(nameof(TopK), x, values, nameof(values));
        var heap = new WorstFirstHeap(indices, values);
        fixed (float* source = x)
        {
            switch (level)
            {
                case SimdLevel.V128: TopKSimd.Row<Lanes128>(source, x.Length, ref heap); break;
                case SimdLevel.V256: TopKSimd.Row<Lanes256>(source, x.Length, ref heap); break;
                case SimdLevel.V512: TopKSimd.Row<Lanes512>(source, x.Length, ref heap); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }

        heap.SortBestFirst();
        indices[heap.Count..].Fill(-1);
        values[heap.Count..].Fill(float.NegativeInfinity);
        return heap.Count;
    }
}
