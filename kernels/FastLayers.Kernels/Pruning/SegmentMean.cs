using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>
/// Merges tokens into the anchors of their groups (the contextual tokens of VisionZip, arXiv:2412.04467, and DUET-VLM, arXiv:2602.18846):
/// y_a = h_a + mean of the members, or (h_a + Σ members) / (1 + number), see <see cref="MergeMode"/>. An anchor without members stays as it
/// is. Members are added in their order. Bound by memory.
/// </summary>
public static unsafe class SegmentMean
{
    /// <summary>Merges the members into the anchors.</summary>
    /// <param name="mode">How.</param>
    /// <param name="anchors">Rows [anchors, columns].</param>
    /// <param name="members">Rows [members, columns].</param>
    /// <param name="groups">The anchor of each member, as <see cref="AnchorAssignment"/> gives it.</param>
    /// <param name="columns">Values a row, positive.</param>
    /// <param name="output">Receives [anchors, columns]; apart from the inputs.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, or the output overlaps an input. Nothing is written then.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A group is no anchor, or the mode is not defined. Nothing is written then.</exception>
    public static void Merge(MergeMode mode, ReadOnlySpan<float> anchors, ReadOnlySpan<float> members, ReadOnlySpan<int> groups, int columns, Span<float> output) =>
        Merge(SimdDispatch.Level, mode, anchors, members, groups, columns, output);

    /// <summary>Merges the members into the anchors in memory that may be larger than a span.</summary>
    /// <param name="mode">How.</param>
    /// <param name="anchors">Rows [anchors, columns].</param>
    /// <param name="anchorCount">Number of anchors.</param>
    /// <param name="members">Rows [groups, columns].</param>
    /// <param name="groups">The anchor of each member.</param>
    /// <param name="columns">Values a row, positive.</param>
    /// <param name="output">Receives [anchors, columns]; apart from the inputs.</param>
    /// <exception cref="ArgumentOutOfRangeException">A group is no anchor, the mode is not defined, a count is negative, or there are no columns. Nothing is written then.</exception>
    public static void Merge(MergeMode mode, float* anchors, int anchorCount, float* members, ReadOnlySpan<int> groups, int columns, float* output)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(anchorCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        RequireMode(mode);
        Merge(SimdDispatch.Level, mode, anchors, anchorCount, members, groups, columns, output);
    }

    internal static void Merge(
        SimdLevel level, MergeMode mode, ReadOnlySpan<float> anchors, ReadOnlySpan<float> members, ReadOnlySpan<int> groups, int columns, Span<float> output)
    {
        int anchorCount = PruningRows.Count(nameof(SegmentMean), anchors.Length, columns, nameof(anchors));
        RequireMode(mode);
        RowArguments.RequireLength(nameof(SegmentMean), PruningRows.Count(nameof(SegmentMean), members.Length, columns, nameof(members)), groups.Length, nameof(groups));
        RowArguments.RequireLength(nameof(SegmentMean), anchors.Length, output.Length, nameof(output));
        RowArguments.RequireApart(nameof(SegmentMean), anchors, output, nameof(output));
        RowArguments.RequireApart(nameof(SegmentMean), members, output, nameof(output));
        fixed (float* centers = anchors, rows = members, result = output) Merge(level, mode, centers, anchorCount, rows, groups, columns, result);
    }

    private static void Merge(SimdLevel level, MergeMode mode, float* anchors, int anchorCount, float* members, ReadOnlySpan<int> groups, int columns, float* output)
    {
        for (int member = 0; member < groups.Length; member++)
        {
            if ((uint)groups[member] >= (uint)anchorCount)
                throw new ArgumentOutOfRangeException(nameof(groups), groups[member], $"{nameof(SegmentMean)}: the group of member {member} should be an anchor below {anchorCount}.");
        }

        fixed (int* chosen = groups)
        {
            switch (level)
            {
                case SimdLevel.V128: SegmentMeanSimd.Merge<Lanes128>(mode, anchors, anchorCount, members, chosen, groups.Length, columns, output); break;
                case SimdLevel.V256: SegmentMeanSimd.Merge<Lanes256>(mode, anchors, anchorCount, members, chosen, groups.Length, columns, output); break;
                case SimdLevel.V512: SegmentMeanSimd.Merge<Lanes512>(mode, anchors, anchorCount, members, chosen, groups.Length, columns, output); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }

    /// <summary>Throws unless the mode is defined.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    internal static void RequireMode(MergeMode mode)
    {
        if (mode is not (MergeMode.AnchorPlusMean or MergeMode.Mean)) throw new ArgumentOutOfRangeException(nameof(mode), mode, $"{nameof(SegmentMean)}: expected a defined mode.");
    }
}
