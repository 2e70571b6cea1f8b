using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.Gpu.Pooling;
using FastLayers.Kernels.Gpu.Pruning;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Pruning;

/// <summary>Statistics pooling and token pruning in groups of other sizes, and launches that are refused.</summary>
public sealed class PruningLaunchTests
{
    private static readonly AttentionColumnShape s_shape = new() { Rows = 2, Tokens = 4, Heads = 2, KeyHeads = 1, Size = 4, Scale = 1 };

    // Views of 16 elements, and one of 15.
    private static readonly Dictionary<string, Action<GpuLauncher, ArrayView<float>, ArrayView<int>, ArrayView<float>>> s_calls = new()
    {
        ["sequence 1 has no valid frames"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, f, f, i, [1, 0], 2, 4, f, 1e-4f),
        ["sequence 0 should have at most 2 frames, found 3"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, f, f, i, [3], 2, 4, f, 1e-4f),
        ["expected a positive variance floor"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, f, f, i, [1], 2, 4, f, 0),
        ["StatisticsPooling: 'x' should have 16 elements, found 15"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, s, f, i, [2, 2], 2, 4, f, 1e-4f),
        ["StatisticsPooling: 'scores' should have 16 elements, found 15"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, f, s, i, [2, 2], 2, 4, f, 1e-4f),
        ["StatisticsPooling: 'lengths' should have 2 elements, found 1"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, f, f, i.SubView(0, 1), [2, 2], 2, 4, f, 1e-4f),
        ["StatisticsPooling: 'output' should have 16 elements, found 15"] = (l, f, i, s) => StatisticsPoolingKernels.Launch(l, f, f, i, [2, 2], 2, 4, s, 1e-4f),
        ["AttentionColumnSums: 'query' should have 16 elements, found 15"] = (l, f, i, s) => AttentionColumnSumsKernels.Launch(l, s, f, i, s_shape, f, f),
        ["AttentionColumnSums: 'keys' should have 16 elements, found 15"] = (l, f, i, s) => AttentionColumnSumsKernels.Launch(l, f, s, i, s_shape, f, f),
        ["AttentionColumnSums: 'positions' should have 2 elements, found 1"] = (l, f, i, s) => AttentionColumnSumsKernels.Launch(l, f, f, i.SubView(0, 1), s_shape, f, f),
        ["AttentionColumnSums: 'scratch' should have 16 elements, found 15"] = (l, f, i, s) => AttentionColumnSumsKernels.Launch(l, f, f, i, s_shape, s, f),
        ["AttentionColumnSums: 'scores' should have 4 elements, found 3"] = (l, f, i, s) => AttentionColumnSumsKernels.Launch(l, f, f, i, s_shape, f, s.SubView(0, 3)),
        ["no token can attend"] = (l, f, i, s) => AttentionColumnSumsKernels.Launch(l, f, f, i, s_shape with { Rows = 0 }, f, f),
        ["KeepTopK: 'kept' should have 2 elements, found 1"] = (l, f, i, s) => KeepTopKKernels.Launch(l, f, i.SubView(0, 1), f, 1, 16, 2, i, f),
        ["KeepTopK: 'values' should have 16 elements, found 15"] = (l, f, i, s) => KeepTopKKernels.Launch(l, f, i, s, 1, 16, 16, i, f),
        ["KeepTopK: 'scratchIndices' should have 4 elements, found 3"] = (l, f, i, s) => KeepTopKKernels.Launch(l, f, i, f, 1, 16, 2, i.SubView(0, 3), f),
        ["KeepTopK: 'scratchValues' should have 16 elements, found 15"] = (l, f, i, s) => KeepTopKKernels.Launch(l, f, i, f, 1, 16, 8, i, s),
        ["TopK: 'x' should have 16 elements, found 15"] = (l, f, i, s) => KeepTopKKernels.Launch(l, s, i, f, 1, 16, 2, i, f),
        ["AnchorAssignment: 'members' should have 16 elements, found 15"] = (l, f, i, s) => AnchorAssignmentKernels.Launch(l, s, 2, f, 2, 8, i, f),
        ["AnchorAssignment: 'anchors' should have 16 elements, found 15"] = (l, f, i, s) => AnchorAssignmentKernels.Launch(l, f, 2, s, 2, 8, i, f),
        ["AnchorAssignment: 'groups' should have 2 elements, found 1"] = (l, f, i, s) => AnchorAssignmentKernels.Launch(l, f, 2, f, 2, 8, i.SubView(0, 1), f),
        ["AnchorAssignment: 'cosines' should have 16 elements, found 15"] = (l, f, i, s) => AnchorAssignmentKernels.Launch(l, f, 16, f, 2, 1, i, s),
        ["AnchorAssignment: expected an anchor for 2 members, found none"] = (l, f, i, s) => AnchorAssignmentKernels.Launch(l, f, 2, f, 0, 8, i, f),
        ["SegmentMean: 'anchors' should have 16 elements, found 15"] = (l, f, i, s) => SegmentMeanKernels.Launch(l, MergeMode.Mean, s, 2, f, 2, i, 8, f),
        ["SegmentMean: 'members' should have 16 elements, found 15"] = (l, f, i, s) => SegmentMeanKernels.Launch(l, MergeMode.Mean, f, 2, s, 2, i, 8, f),
        ["SegmentMean: 'groups' should have 2 elements, found 1"] = (l, f, i, s) => SegmentMeanKernels.Launch(l, MergeMode.Mean, f, 2, f, 2, i.SubView(0, 1), 8, f),
        ["SegmentMean: 'output' should have 16 elements, found 15"] = (l, f, i, s) => SegmentMeanKernels.Launch(l, MergeMode.Mean, f, 2, f, 2, i, 8, s),
        ["RowNorms: 'x' should have 16 elements, found 15"] = (l, f, i, s) => RowNormsKernels.Launch(l, s, f, 2, 8),
        ["RowNorms: 'y' should have 16 elements, found 15"] = (l, f, i, s) => RowNormsKernels.Launch(l, f, s, 16, 1),
        ["RowNorms.RelativeChange: 'after' should have 16 elements, found 15"] = (l, f, i, s) => RowNormsKernels.LaunchRelativeChange(l, f, s, f, 2, 8),
        ["AttentionColumnSums: 'End' should have 2 elements, found 1"] = (l, f, i, s) => AttendPages(l, f, i.SubView(0, 1), 4),
        ["AttentionColumnSums: 65 tokens are 2 pages, a sequence has 1"] = (l, f, i, s) => AttendPages(l, f, i, 65),
        ["SegmentMean: expected a defined mode"] = (l, f, i, s) => SegmentMeanKernels.Launch(l, (MergeMode)5, f, 2, f, 2, i, 8, f),
    };

    public static IEnumerable<TheoryDataRow<string>> Messages => s_calls.Keys.Select(message => new TheoryDataRow<string>(message));

    public static IEnumerable<TheoryDataRow<int, string>> GroupSizes =>
        from size in (int[])[2, 8, 32]
        from operation in StatisticsPoolingKernels.Operations.Concat(AttentionColumnSumsKernels.Operations).Concat(KeepTopKKernels.Operations)
            .Concat(AnchorAssignmentKernels.Operations).Concat(SegmentMeanKernels.Operations).Concat(RowNormsKernels.Operations)
        select new TheoryDataRow<int, string>(size, operation.Name);

    private static void AttendPages(GpuLauncher launcher, ArrayView<float> floats, ArrayView<int> end, int tokens) => AttentionColumnSumsKernels.Launch(
        launcher,
        new GpuPagedCache { Keys = floats.Cast<byte>(), Values = default, PageTable = end, PagesPerSequence = 1, Heads = 1, KeySize = 4, ValueSize = 0, IsHalf = false },
        new GpuAttentionRows { Query = floats, Output = default, Sequences = default, End = end, Rows = 2, Heads = 2, Scale = 1 },
        0, tokens, floats, floats);

    [Theory]
    [MemberData(nameof(Messages))]
    public void Launch_refuses(string message)
    {
        using var device = new SimulatedDevice();
        var floats = device.Memory(new float[16]);
        var error = Assert.ThrowsAny<ArgumentException>(() => s_calls[message](device.Launcher, floats, device.Memory(new int[16]), floats.SubView(0, 15)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(GroupSizes))]
    public void Kernels_work_in_groups_of_any_size(int groupSize, string name)
    {
        using var device = new SimulatedDevice(groupSize);
        var operation = KernelCatalog.Find(name);
        foreach (int index in (int[])[1, 3, 4])
            Assert.Null(KernelCheck.Run(new GpuKernelRunner(device.Launcher, "emulated"), operation, operation.Shapes[index], 7).Failure);
    }

    [Fact]
    public void Statistics_are_rows_of_means_then_deviations_and_padding_changes_no_bit()
    {
        using var device = new SimulatedDevice();
        float[] x = [1, 10, 3, 20, 5, 60, 8, 8, float.NaN, float.NaN, float.NaN, float.NaN], scores = [1, 1, 1, 5, float.NaN, float.NaN];
        var output = device.Memory(new float[8]);
        StatisticsPoolingKernels.Launch(device.Launcher, device.Memory(x), device.Memory(scores), device.Memory(3, 1), [3, 1], 3, 2, output, 1e-4f);
        float[] batch = device.Read(output);
        Assert.Equal([3, 30, MathF.Sqrt(8 / 3f), MathF.Sqrt(1400 / 3f), 8, 8, 0.01f, 0.01f], batch, (a, b) => MathF.Abs(a - b) < 1e-6f * MathF.Abs(a));
        StatisticsPoolingKernels.Launch(device.Launcher, device.Memory(x[6..8]), device.Memory(scores[3..4]), device.Memory(1), [1], 1, 2, output, 1e-4f);
        Assert.Equal(batch[4..], device.Read(output)[..4]);
    }
}
