using FastLayers.Kernels.Pruning;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Tests.Pruning;

public sealed class TokenMergeTests
{
    [Fact]
    public void Kept_tokens_come_in_the_order_of_the_sequence_and_equal_ones_by_index()
    {
        int[] kept = new int[3];
        float[] values = new float[3];
        Assert.Equal(3, KeepTopK.Row([2, 5, 1, 5, 2, 2], kept, values));
        Assert.Equal([0, 1, 3], kept);
        Assert.Equal([2, 5, 5], values);
        Assert.Equal(1, KeepTopK.Row([float.NaN, 4, float.NaN, float.NaN], kept, values));
        Assert.Equal([1, -1, -1], kept);
        Assert.Equal([4, float.NegativeInfinity, float.NegativeInfinity], values);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Member_joins_the_nearest_direction_and_the_earlier_of_equal_anchors(SimdLevel level)
    {
        // Anchors: nothing, right, up, right again and longer.
        float[] anchors = [0, 0, 1, 0, 0, 1, 4, 0], members = [3, 1, 1, 3, -1, -1, 0, 0];
        int[] groups = new int[4];
        float[] cosines = new float[4];
        AnchorAssignment.Assign(level, members, anchors, 2, groups, cosines);
        Assert.Equal([1, 2, 0, 0], groups);
        Assert.Equal([3 / MathF.Sqrt(10), 3 / MathF.Sqrt(10), 0, 0], cosines, (a, b) => MathF.Abs(a - b) < 1e-6f);
    }

    [Theory]
    [InlineData(MergeMode.AnchorPlusMean, new float[] { 13, 26, 5, 6, 103, 204 })]
    [InlineData(MergeMode.Mean, new float[] { 9.25f, 18.5f, 5, 6, 51.5f, 102 })]
    public void Groups_merge_into_their_anchors_and_an_empty_one_stays(MergeMode mode, float[] expected)
    {
        float[] anchors = [1, 2, 5, 6, 3, 4], members = [8, 20, 100, 200, 12, 20, 16, 32], output = new float[6];
        SegmentMean.Merge(mode, anchors, members, [0, 2, 0, 0], 2, output);
        Assert.Equal(expected, output, (a, b) => MathF.Abs(a - b) < 1e-5f);
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        float[] rows = new float[6], output = new float[6];
        int[] groups = new int[3];
        Refused("TopK", () => KeepTopK.Row(rows, groups, output.AsSpan(1)));
        Refused("expected whole rows of one or more columns, found 5 values and 2 columns", () => AnchorAssignment.Assign(rows.AsSpan(1), rows, 2, groups, output.AsSpan(3)));
        Refused("found 6 values and 0 columns", () => AnchorAssignment.Assign(rows, rows, 0, groups, output.AsSpan(3)));
        Refused("an anchor for 3 members, found none", () => AnchorAssignment.Assign(rows, [], 2, groups, output.AsSpan(3)));
        Refused("expected a length of 3, found 2", () => AnchorAssignment.Assign(rows, rows, 2, groups.AsSpan(1), output.AsSpan(3)));
        Refused("expected a length of 3, found 2", () => AnchorAssignment.Assign(rows, rows, 2, groups, output.AsSpan(4)));
        Refused("overlaps", () => AnchorAssignment.Assign(rows, output, 2, groups, rows.AsSpan(1, 3)));
        Refused("expected a length of 3, found 2", () => SegmentMean.Merge(MergeMode.Mean, rows, rows, groups.AsSpan(1), 2, output));
        Refused("expected a length of 6, found 4", () => SegmentMean.Merge(MergeMode.Mean, rows, rows, groups, 2, output.AsSpan(2)));
        Refused("overlaps", () => SegmentMean.Merge(MergeMode.Mean, output, rows, groups, 2, rows));
        Refused("group of member 2 should be an anchor below 3", () => SegmentMean.Merge(MergeMode.Mean, rows, rows, [0, 0, 3], 2, output));
        Refused("group of member 0 should be an anchor below 3", () => SegmentMean.Merge(MergeMode.Mean, rows, rows, [-1, 0, 0], 2, output));
        Refused("expected a defined mode", () => SegmentMean.Merge((MergeMode)7, rows, rows, groups, 2, output));

        static void Refused(string message, Action call) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(call).Message, StringComparison.Ordinal);
    }
}
