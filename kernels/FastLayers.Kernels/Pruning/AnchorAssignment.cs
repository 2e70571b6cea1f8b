using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Pruning;

/// <summary>
/// The anchor that each token is merged into, by cosine: groups[m] = argmax over a of κ_m·κ_a / (|κ_m| |κ_a|), as VisionZip
/// (arXiv:2412.04467) and DUET-VLM (arXiv:2602.18846) merge tokens by their keys. Of equal cosines the earlier anchor wins; a vector of
/// length zero has the cosine 0 to all. Cosines that no float can tell apart may be ordered either way. Bound by the products.
/// </summary>
public static unsafe class AnchorAssignment
{
    /// <summary>Assigns members to anchors.</summary>
    /// <param name="members">Vectors [members, columns]; finite.</param>
    /// <param name="anchors">Vectors [anchors, columns]; finite.</param>
    /// <param name="columns">Values a vector, positive.</param>
    /// <param name="groups">Receives the anchor of each member.</param>
    /// <param name="cosines">Receives its cosine.</param>
    /// <exception cref="ArgumentException">Lengths do not fit together, there are members but no anchor, or a result overlaps an input.</exception>
    public static void Assign(ReadOnlySpan<float> members, ReadOnlySpan<float> anchors, int columns, Span<int> groups, Span<float> cosines) =>
        Assign(SimdDispatch.Level, members, anchors, columns, groups, cosines);

    /// <summary>Assigns members to anchors in memory that may be larger than a span.</summary>
    /// <param name="members">Vectors [members, columns]; finite.</param>
    /// <param name="memberCount">Number of members.</param>
    /// <param name="anchors">Vectors [anchors, columns]; finite.</param>
    /// <param name="anchorCount">Number of anchors.</param>
    /// <param name="columns">Values a vector, positive.</param>
    /// <param name="groups">Receives the anchor of each member.</param>
    /// <param name="cosines">Receives its cosine; apart from the vectors.</param>
    /// <exception cref="ArgumentException">There are members but no anchor.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or there are no columns.</exception>
    public static void Assign(float* members, int memberCount, float* anchors, int anchorCount, int columns, int* groups, float* cosines)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(memberCount);
        ArgumentOutOfRangeException.ThrowIfNegative(anchorCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        PruningRows.RequireAnchors(nameof(AnchorAssignment), memberCount, anchorCount);
        Assign(SimdDispatch.Level, members, memberCount, anchors, anchorCount, columns, groups, cosines);
    }

    internal static void Assign(SimdLevel level, ReadOnlySpan<float> members, ReadOnlySpan<float> anchors, int columns, Span<int> groups, Span<float> cosines)
    {
        int memberCount = PruningRows.Count(nameof(AnchorAssignment), members.Length, columns, nameof(members));
        int anchorCount = PruningRows.Count(nameof(AnchorAssignment), anchors.Length, columns, nameof(anchors));
        RowArguments.RequireLength(nameof(AnchorAssignment), memberCount, groups.Length, nameof(groups));
        RowArguments.RequireLength(nameof(AnchorAssignment), memberCount, cosines.Length, nameof(cosines));
        PruningRows.RequireAnchors(nameof(AnchorAssignment), memberCount, anchorCount);
        RowArguments.RequireApart(nameof(AnchorAssignment), members, cosines, nameof(cosines));
        RowArguments.RequireApart(nameof(AnchorAssignment), anchors, cosines, nameof(cosines));
        fixed (float* rows = members, centers = anchors, best = cosines)
        fixed (int* chosen = groups)
            Assign(level, rows, memberCount, centers, anchorCount, columns, chosen, best);
    }

    private static void Assign(SimdLevel level, float* members, int memberCount, float* anchors, int anchorCount, int columns, int* groups, float* cosines)
    {
        switch (level)
        {
            case SimdLevel.V128: AnchorAssignmentSimd.Assign<Lanes128>(members, memberCount, anchors, anchorCount, columns, groups, cosines); break;
            case SimdLevel.V256: AnchorAssignmentSimd.Assign<Lanes256>(members, memberCount, anchors, anchorCount, columns, groups, cosines); break;
            case SimdLevel.V512: AnchorAssignmentSimd.Assign<Lanes512>(members, memberCount, anchors, anchorCount, columns, groups, cosines); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }
}
