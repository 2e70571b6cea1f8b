using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;
using static FastLayers.Gpu.Tests.OperandTests;

namespace FastLayers.Gpu.Tests;

/// <summary>Counts, lengths, indices and overlaps that make no sense to what pools, ranks and merges tokens: refused on every device alike.</summary>
public sealed class TokenOperandTests
{
    private static readonly AttentionOptions s_attention = new(2, 1, 0, false);

    /// <summary>What the message must say, and the call with a tensor [2, 8].</summary>
    private static readonly Dictionary<string, Action<Device, Tensor>> s_refused = new()
    {
        ["Pool: sequence 1 has no valid frames, its length is 0"] = (d, t) => d.Pool(PoolingKind.Mean, t, [1, 0], 1, Fine(d), 8),
        ["Pool: sequence 0 has no valid frames, its length is -3"] = (d, t) => d.Pool(PoolingKind.First, t, [-3, 1], 1, Fine(d), 8),
        ["Pool: sequence 0 has a length of 2, padded are 1 frames"] = (d, t) => d.Pool(PoolingKind.Last, t, [2, 1], 1, Fine(d), 8),
        ["Pool: there is no such PoolingKind"] = (d, t) => d.Pool((PoolingKind)9, t, [1, 1], 1, Fine(d), 8),
        ["Pool: output f32 [2, 8]"] = (d, t) => d.Pool(PoolingKind.Mean, t, [1, 1], 1, t, 8),
        ["Pool: output f32 [1, 8]"] = (d, t) => d.Pool(PoolingKind.Mean, t, t.SliceRows(1, 1), 2, 8),
        ["Pool: frames must not be negative"] = (d, t) => d.Pool(PoolingKind.Mean, t, [1], -1, Fine(d), 8),
        ["PoolStatistics: sequence 1 has no valid frames, its length is 0"] = (d, t) => d.PoolStatistics(t, null, [1, 0], 1, 1e-4f, Wide(d), 8),
        ["PoolStatistics: sequence 1 has a length of 3, padded are 1 frames"] = (d, t) => d.PoolStatistics(t, null, [1, 3], 1, 1e-4f, Wide(d), 8),
        ["PoolStatistics: the least variance must be positive"] = (d, t) => d.PoolStatistics(t, null, [1, 1], 1, 0, Wide(d), 8),
        ["PoolStatistics: the least variance must be positive. (Parameter 'varianceFloor')\nActual value was NaN"] = (d, t) => d.PoolStatistics(t, null, [1, 1], 1, float.NaN, Wide(d), 8),
        ["needed is f32 [2, 8] or [2, 1]"] = (d, t) => d.PoolStatistics(t, d.Allocate(Format.F32, 4, 4), [1, 1], 1, 1e-4f, Wide(d), 8),
        ["PoolStatistics: output is f32 [2, 8] on"] = (d, t) => d.PoolStatistics(t, null, [1, 1], 1, 1e-4f, Fine(d), 8),
        ["PoolStatistics: columns must not be negative"] = (d, t) => d.PoolStatistics(t, null, [1, 1], 1, 1e-4f, Wide(d), -8),
        ["PoolStatistics: output f32 [2, 8]"] = (d, t) => d.PoolStatistics(t, null, [1, 1], 1, 1e-4f, t, 4),
        ["AttentionColumnSums: row 1 sees positions up to 1, scores are for 0 to 0"] = (d, t) => d.AttentionColumnSums(Cache(d), Rows(), s_attention, t, Fine(d), 1),
        ["AttentionColumnSums: tokens must not be negative"] = (d, t) => d.AttentionColumnSums(Cache(d), Rows(), s_attention, t, Fine(d), -1),
        ["AttentionColumnSums: 3 query heads are no multiple of the cache's 2"] = (d, t) => d.AttentionColumnSums(Cache(d), Rows(), s_attention with { Heads = 3 }, t, Fine(d), 2),
        ["AttentionColumnSums: row 1 needs positions 0 to 64 of sequence 0; the cache has no page 1 of it"] = (d, t) => d.AttentionColumnSums(Cache(d), Rows(end: 65), s_attention, t, Wide(d), 80),
        ["AttentionColumnSums: row 0 needs positions 0 to 0 of sequence 0; the cache has no page 0 of it"] = (d, t) => d.AttentionColumnSums(Cache(d), Rows(page: 1), s_attention, t, Fine(d), 2),
        ["AttentionColumnSums: there are no rows that attend"] = (d, t) => d.AttentionColumnSums(Cache(d), NoRows(), s_attention, t, Fine(d), 2),
        ["AttentionColumnSums: row 1 is of sequence 1, row 0 of sequence 0"] = (d, t) => d.AttentionColumnSums(Cache(d), TwoSequences(), s_attention, t, Fine(d), 2),
        ["AttentionColumnSums: scores f32 [2, 8]"] = (d, t) => d.AttentionColumnSums(Cache(d), Rows(), s_attention, t, t, 2),
        ["KeepTopK: of 8 tokens 9 cannot be kept"] = (d, t) => d.KeepTopK(t, 2, 8, 9, new int[18]),
        ["KeepTopK: of 8 tokens -1 cannot be kept"] = (d, t) => d.KeepTopK(t, 2, 8, -1, []),
        ["KeepTopK: rows must not be negative"] = (d, t) => d.KeepTopK(t, -2, 8, 1, []),
        ["KeepTopK: indices has 3 entries, 4 are needed"] = (d, t) => d.KeepTopK(t, 2, 8, 2, new int[3]),
        ["AssignToAnchors: 2 members have no anchor"] = (d, t) => d.AssignToAnchors(t, 2, Fine(d), 0, 8, new int[2], new float[2]),
        ["AssignToAnchors: 2 members have no values"] = (d, t) => d.AssignToAnchors(t, 2, Fine(d), 1, 0, new int[2], new float[2]),
        ["AssignToAnchors: anchorCount must not be negative"] = (d, t) => d.AssignToAnchors(t, 2, Fine(d), -1, 8, new int[2], new float[2]),
        ["AssignToAnchors: groups has 1 entries, 2 are needed"] = (d, t) => d.AssignToAnchors(t, 2, Fine(d), 1, 8, new int[1], new float[2]),
        ["AssignToAnchors: cosines has 3 entries, 2 are needed"] = (d, t) => d.AssignToAnchors(t, 2, Fine(d), 1, 8, new int[2], new float[3]),
        ["SegmentMean: groups[1] is 2, allowed are 0 to 1"] = (d, t) => d.SegmentMean(MergeMode.Mean, t, 2, Fine(d), [0, 2], Fine(d), 8),
        ["SegmentMean: groups[0] is -1, allowed are 0 to 1"] = (d, t) => d.SegmentMean(MergeMode.Mean, t, 2, Fine(d), [-1, 0], Fine(d), 8),
        ["SegmentMean: there is no such MergeMode"] = (d, t) => d.SegmentMean((MergeMode)7, t, 2, Fine(d), [0, 1], Fine(d), 8),
        ["SegmentMean: output f32 [2, 8]"] = (d, t) => d.SegmentMean(MergeMode.Mean, t, 2, Fine(d), [0, 1], t, 8),
        ["overlaps members f32 [2, 8]"] = (d, t) => d.SegmentMean(MergeMode.Mean, Fine(d), 1, t, [0, 0], t.SliceRows(1, 1), 8),
        ["SegmentMean: anchorCount must not be negative"] = (d, t) => d.SegmentMean(MergeMode.Mean, t, -1, Fine(d), [], Fine(d), 8),
        ["RowNorms: norms f32 [1, 8]"] = (d, t) => d.RowNorms(t, t.SliceRows(1, 1), 2, 8),
        ["RowNorms: columns must not be negative"] = (d, t) => d.RowNorms(t, Fine(d), 2, -8),
        ["RowNorms: norms is f32 [1, 1] on"] = (d, t) => d.RowNorms(t, d.Allocate(Format.F32, 1, 1), 2, 8),
        ["AddNorm: norms f32 [2, 8]"] = (d, t) => d.AddNorm(t, Fine(d), t, 2, 8),
        ["AddNorm: norms is f32 [1, 1] on"] = (d, t) => d.AddNorm(t, Fine(d), d.Allocate(Format.F32, 1, 1), 2, 8),
        ["RelativeChange: changes f32 [2, 8]"] = (d, t) => d.RelativeChange(Fine(d), t, t, 2, 8),
        ["RelativeChange: rows must not be negative"] = (d, t) => d.RelativeChange(t, Fine(d), Fine(d), -2, 8),
        ["Clear: target is f32 [2, 8] on"] = (d, t) => d.Clear(t, int.MaxValue, int.MaxValue),
    };

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void What_makes_no_sense_is_refused_and_changes_nothing(string name)
    {
        using var device = TestDevices.Open(name);
        var tensor = Fine(device);
        float[] before = [.. Enumerable.Range(1, 16)];
        device.Write(tensor, 0, before);
        foreach (var (message, call) in s_refused)
        {
            var exception = Record.Exception(() => call(device, tensor));
            Assert.True(exception is ArgumentException && exception.Message.Contains(message, StringComparison.Ordinal), $"Expected '{message}', found '{exception}'.");
            Assert.Equal(before, Read(device, tensor));
        }
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Nothing_to_do_is_done(string name)
    {
        using var device = TestDevices.Open(name);
        Tensor tensor = Fine(device), other = Fine(device), wide = Wide(device);
        device.Write(other, 0, [.. Enumerable.Repeat(7f, 16)]);
        device.Pool(PoolingKind.Mean, tensor, [], 4, other, 8);
        device.PoolStatistics(tensor, null, [], 4, 1e-4f, other, 8);
        device.PoolStatistics(tensor, null, [1, 1], 1, 1e-4f, wide, 0);
        device.KeepTopK(tensor, 2, 8, 0, []);
        device.AssignToAnchors(tensor, 0, tensor, 0, 8, [], []);
        device.RowNorms(tensor, other, 0, 8);
        device.AddNorm(tensor, tensor, other, 0, 8);
        device.RelativeChange(tensor, tensor, other, 0, 8);
        device.SegmentMean(MergeMode.Mean, tensor, 0, tensor, [], other, 8);
        Assert.All(Read(device, other), value => Assert.Equal(7, value));

        // Anchors without members are copied; rows without values have no length.
        device.SegmentMean(MergeMode.AnchorPlusMean, other, 2, tensor, [], tensor, 8);
        Assert.All(Read(device, tensor), value => Assert.Equal(7, value));
        device.RowNorms(other, tensor, 2, 0);
        Assert.Equal([0, 0, 7], Read(device, tensor)[..3]);
    }

    private static float[] Read(Device device, Tensor tensor)
    {
        float[] values = new float[tensor.Count];
        device.Read(tensor, 0, values);
        return values;
    }

    private static Tensor Wide(Device device) => device.Allocate(Format.F32, 2, 40);

    private static BatchRows NoRows() => new() { Sequences = [], Positions = [], WindowStart = [], End = [], PageTable = new[] { 0 }, PagesPerSequence = 1 };

    private static BatchRows TwoSequences() => new()
    {
        Sequences = new[] { 0, 1 },
        Positions = new[] { 0, 0 },
        WindowStart = new[] { 0, 0 },
        End = new[] { 1, 1 },
        PageTable = new[] { 0, 0 },
        PagesPerSequence = 1,
    };
}
