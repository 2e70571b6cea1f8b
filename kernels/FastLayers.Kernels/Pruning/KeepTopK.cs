using FastLayers.Kernels.Selection;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>
/// Which tokens to keep: the k largest scores (of equal ones the lower index), in the order of the sequence, as DUET-VLM (arXiv:2602.18846)
/// keeps visual tokens. Selection is <see cref="TopK"/>, bound by reading the scores.
/// </summary>
public static class KeepTopK
{
    /// <summary>Selects as many tokens as the results hold.</summary>
    /// <param name="scores">One score a token. NaN is never chosen.</param>
    /// <param name="kept">Receives the indices in rising order; -1 at the end where there are too few numbers.</param>
    /// <param name="values">Receives the scores of these tokens; -∞ at the end where there are too few. As long as <paramref name="kept"/>.</param>
    /// <returns>How many were found.</returns>
    /// <exception cref="ArgumentException">The results differ in length, or overlap the scores.</exception>
    public static int Row(ReadOnlySpan<float> scores, Span<int> kept, Span<float> values) => Row(SimdDispatch.Level, scores, kept, values);

    internal static int Row(SimdLevel level, ReadOnlySpan<float> scores, Span<int> kept, Span<float> values)
    {
        int count = TopK.Row(level, scores, kept, values);
        kept[..count].Sort();
        for (int i = 0; i < count; i++) values[i] = scores[kept[i]];
        return count;
    }
}
