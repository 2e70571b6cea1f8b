namespace FastLayers.Kernels.Pruning;

/// <summary>The definition of <see cref="SegmentMean"/> in double precision.</summary>
public static class SegmentMeanReference
{
    /// <summary>h_a + mean of the members, or the mean of the anchor and its members.</summary>
    public static void Merge(MergeMode mode, ReadOnlySpan<float> anchors, ReadOnlySpan<float> members, ReadOnlySpan<int> groups, int columns, Span<float> output)
    {
        for (int i = 0; i < anchors.Length; i++)
        {
            double sum = 0;
            int count = 0;
            for (int member = 0; member < groups.Length; member++)
            {
                if (groups[member] != i / columns) continue;
                sum += members[(member * columns) + (i % columns)];
                count++;
            }

            output[i] = (float)(mode == MergeMode.Mean ? (anchors[i] + sum) / (1 + count) : count == 0 ? anchors[i] : anchors[i] + (sum / count));
        }
    }
}
