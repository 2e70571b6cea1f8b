using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;

namespace FastLayers.Gpu.Tests;

/// <summary>What pools, ranks, drops and merges tokens, on every device against the definition in double precision.</summary>
public sealed class TokenOperationTests
{
    private const double Tolerance = 1e-5;

    public static IEnumerable<TheoryDataRow<string, string, bool>> Features =>
        from device in TestDevices.All
        from kind in (string[])["one frame", "constant", "far from zero", "noise"]
        from perChannel in (bool[])[true, false]
        select new TheoryDataRow<string, string, bool>(device.Data, kind, perChannel);

    [Theory]
    [MemberData(nameof(Features))]
    public void Statistics_equal_the_definition(string name, string kind, bool perChannel)
    {
        const int channels = 7;
        int frames = kind == "one frame" ? 1 : 29;
        var random = new Random(5);
        float offset = kind == "far from zero" ? 1e6f : 2;
        float[] x = [.. Enumerable.Range(0, frames * channels).Select(_ => kind == "constant" ? 3.3f : offset + Noise(random))];
        float[] scores = [.. Enumerable.Range(0, frames * (perChannel ? channels : 1)).Select(_ => 3 * Noise(random))];
        using var device = TestDevices.Open(name);
        using Tensor input = Write(device, frames, channels, x), weights = Write(device, frames, perChannel ? channels : 1, scores), output = device.Allocate(Format.F32, 1, 2 * channels);
        device.PoolStatistics(input, weights, [frames], frames, StatisticsPooling.DefaultVarianceFloor, output, channels);
        float[] pooled = Read(device, output);
        for (int channel = 0; channel < channels; channel++)
        {
            var (mean, deviation) = Expected(x, scores, frames, channels, channel, perChannel);

            // Relative to the magnitude for features far from zero: a float next to a million is 0.06 away. Their deviation must not notice.
            Assert.Equal(mean, pooled[channel], Tolerance * Math.Max(1, Math.Abs(mean)));
            Assert.Equal(deviation, pooled[channels + channel], Tolerance * Math.Max(1, deviation));
        }

        if (kind is "one frame" or "constant") Assert.All(pooled[channels..], deviation => Assert.Equal(0.01f, deviation, 1e-7f));
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Masked_batch_equals_one_by_one(string name)
    {
        const int channels = 5, frames = 11;
        int[] lengths = [11, 1, 6, 3];
        var random = new Random(8);
        float[] x = [.. Enumerable.Range(0, lengths.Length * frames * channels).Select(_ => Noise(random))], scores = [.. x.Select(_ => Noise(random))];
        for (int i = 0; i < lengths.Length; i++)
        {
            x.AsSpan(((i * frames) + lengths[i]) * channels, (frames - lengths[i]) * channels).Fill(float.NaN);
            scores.AsSpan(((i * frames) + lengths[i]) * channels, (frames - lengths[i]) * channels).Fill(float.PositiveInfinity);
        }

        using var device = TestDevices.Open(name);
        using Tensor input = Write(device, lengths.Length * frames, channels, x), weights = Write(device, lengths.Length * frames, channels, scores);
        using Tensor batch = device.Allocate(Format.F32, lengths.Length, 2 * channels), single = device.Allocate(Format.F32, 1, 2 * channels);
        foreach (bool attentive in (bool[])[true, false])
        {
            device.PoolStatistics(input, attentive ? weights : null, lengths, frames, 1e-4f, batch, channels);
            float[] together = Read(device, batch);
            for (int i = 0; i < lengths.Length; i++)
            {
                device.PoolStatistics(input.SliceRows(i * frames, lengths[i]), attentive ? weights.SliceRows(i * frames, lengths[i]) : null, [lengths[i]], lengths[i], 1e-4f, single, channels);
                Assert.Equal(Read(device, single), together[(i * 2 * channels)..((i + 1) * 2 * channels)]);
            }
        }

        using Tensor pooled = device.Allocate(Format.F32, lengths.Length, channels), row = device.Allocate(Format.F32, 1, channels);
        foreach (var kind in Enum.GetValues<PoolingKind>())
        {
            device.Pool(kind, input, lengths, frames, pooled, channels);
            float[] together = Read(device, pooled);
            Assert.All(together, value => Assert.True(float.IsFinite(value)));
            for (int i = 0; i < lengths.Length; i++)
            {
                device.Pool(kind, input.SliceRows(i * frames, lengths[i]), row, lengths[i], channels);
                Assert.Equal(Read(device, row), together[(i * channels)..((i + 1) * channels)]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Score_of_minus_infinity_masks_a_frame_and_no_scores_weigh_all_the_same(string name)
    {
        using var device = TestDevices.Open(name);
        using Tensor input = Write(device, 3, 2, [1, 10, 100, -7, 5, 60]), scores = Write(device, 3, 1, [4, float.NegativeInfinity, 4]), output = device.Allocate(Format.F32, 1, 4);
        device.PoolStatistics(input, scores, [3], 3, 1e-4f, output, 2);
        Assert.InRange(Difference.Largest([3, 35, 2, 25], Read(device, output)), 0, Tolerance);
        device.PoolStatistics(input, null, [2], 3, 1e-4f, output, 2);
        Assert.InRange(Difference.Largest([50.5f, 1.5f, 49.5f, 8.5f], Read(device, output)), 0, Tolerance);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Kept_tokens_are_the_largest_in_order_and_of_equal_ones_the_first(string name)
    {
        using var device = TestDevices.Open(name);
        using var scores = Write(device, 2, 6, [2, 1, 2, 3, 2, -1, float.NaN, 5, float.NaN, float.NaN, float.NaN, 5]);
        int[] kept = new int[6];
        device.KeepTopK(scores, 2, 6, 3, kept);
        Assert.Equal([0, 2, 3, 1, 5, -1], kept);
        device.KeepTopK(scores, 1, 6, 6, kept);
        Assert.Equal([0, 1, 2, 3, 4, 5], kept);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Tokens_are_merged_into_the_nearest_anchor(string name)
    {
        using var device = TestDevices.Open(name);
        using Tensor anchors = Write(device, 3, 2, [1, 0, 0, 2, 1, 0]), members = Write(device, 4, 2, [5, 1, -1, 3, 0, 0, 2, 2]), output = device.Allocate(Format.F32, 3, 2);
        int[] groups = new int[4];
        float[] cosines = new float[4];
        device.AssignToAnchors(members, 4, anchors, 3, 2, groups, cosines);

        // The third anchor equals the first, which wins; so it does where all cosines are 0, and between two as near.
        Assert.Equal([0, 1, 0, 0], groups);
        Assert.InRange(Difference.Largest([5 / MathF.Sqrt(26), 3 / MathF.Sqrt(10), 0, MathF.Sqrt(0.5f)], cosines), 0, 1e-6);
        device.SegmentMean(MergeMode.AnchorPlusMean, anchors, 3, members, groups, output, 2);
        Assert.InRange(Difference.Largest([1 + (7 / 3f), 1, -1, 5, 1, 0], Read(device, output)), 0, 1e-6);
        device.SegmentMean(MergeMode.Mean, anchors, 3, members, groups, output, 2);
        Assert.InRange(Difference.Largest([2, 0.75f, -0.5f, 2.5f, 1, 0], Read(device, output)), 0, 1e-6);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Norms_tell_what_a_layer_did(string name)
    {
        const int rows = 3, columns = 300;
        var random = new Random(4);
        float[] before = [.. Enumerable.Range(0, rows * columns).Select(_ => Noise(random))], update = [.. before.Select((_, i) => i < columns ? 0 : 0.1f * Noise(random))];
        using var device = TestDevices.Open(name);
        using Tensor old = Write(device, rows, columns, before), added = Write(device, rows, columns, update), stream = Write(device, rows, columns, before), sum = Write(device, rows, columns, before);
        using Tensor norms = device.Allocate(Format.F32, rows, 1), fused = device.Allocate(Format.F32, rows, 1), changes = device.Allocate(Format.F32, rows, 1);
        device.AddNorm(stream, added, fused, rows, columns);
        device.Add(sum, added, 1, rows, columns);
        Assert.Equal(Read(device, sum), Read(device, stream));
        device.RowNorms(stream, norms, rows, columns);
        device.RelativeChange(old, stream, changes, rows, columns);
        float[] after = Read(device, stream), found = Read(device, norms), change = Read(device, changes), foundFused = Read(device, fused);
        Assert.Equal(0, change[0]);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> x = before.AsSpan(row * columns, columns), y = after.AsSpan(row * columns, columns);
            double norm = RowNormsReference.Row(y), relative = RowNormsReference.RelativeChange(x, y);
            Assert.Equal(norm, found[row], 1e-6 * norm);
            Assert.Equal(norm, foundFused[row], 1e-6 * norm);
            Assert.Equal(relative, change[row], 1e-6 * relative);
        }
    }

    /// <summary>The matrix by hand: what <see cref="Device.Attend"/> gives for values that are the rows of a unit matrix.</summary>
    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Column_sums_are_those_of_the_attention_that_attend_computes(string name)
    {
        const int tokens = 70, heads = 4, kvHeads = 2, size = 6, rows = 5;
        var random = new Random(3);
        using var device = TestDevices.Open(name);
        using Tensor query = Write(device, rows, heads * size, [.. Enumerable.Range(0, rows * heads * size).Select(_ => Noise(random))]), scores = device.Allocate(Format.F32, 1, tokens + 2);
        using Tensor newKeys = Write(device, tokens, kvHeads * size, [.. Enumerable.Range(0, tokens * kvHeads * size).Select(_ => Noise(random))]), attended = device.Allocate(Format.F32, rows, heads * tokens);
        using var unit = Write(device, tokens, kvHeads * tokens, [.. Enumerable.Range(0, tokens * kvHeads * tokens).Select(i => i % tokens == i / (kvHeads * tokens) ? 1f : 0f)]);
        foreach (var format in (Format[])[Format.F32, Format.F16])
        {
            using Tensor keys = device.Allocate(format, 3 * kvHeads * 64, size), values = device.Allocate(format, 3 * kvHeads * 64, tokens);
            var layer = new KvLayer(keys, values, kvHeads);
            int[] pages = [2, 0], all = [.. Enumerable.Range(0, tokens)], attending = [9, 68, 40, 69, 3];
            device.AppendKv(layer, new() { Sequences = new int[tokens], Positions = all, WindowStart = default, End = default, PageTable = pages, PagesPerSequence = 2 }, newKeys, unit);
            foreach (var options in (AttentionOptions[])[new(heads, 0.4f, 0, false), new(heads, 0.4f, 0, true), new(heads, 1, 1.5f, true)])
            {
                var batch = new BatchRows
                {
                    Sequences = new int[rows],
                    Positions = attending,
                    WindowStart = attending.Select(position => Math.Max(0, position - 7)).ToArray(),
                    End = attending.Select(position => position + 1).ToArray(),
                    PageTable = pages,
                    PagesPerSequence = 2,
                };
                device.Attend(layer, batch, options, query, attended);
                float[] matrix = Read(device, attended);
                device.AttentionColumnSums(layer, batch, options, query, scores, tokens + 2);
                float[] found = Read(device, scores);
                Assert.Equal(1, found.Sum(score => (double)score), Tolerance);
                Assert.Equal([0, 0], found[tokens..]);
                for (int i = 0; i < tokens; i++)
                    Assert.Equal(Enumerable.Range(0, rows * heads).Average(row => (double)matrix[(row * tokens) + i]), found[i], Tolerance);
            }
        }
    }

    private static (double Mean, double Deviation) Expected(float[] x, float[] scores, int frames, int channels, int channel, bool perChannel) => StatisticsPoolingReference.Channel(
        [.. Enumerable.Range(0, frames).Select(t => x[(t * channels) + channel])],
        [.. Enumerable.Range(0, frames).Select(t => scores[perChannel ? (t * channels) + channel : t])],
        StatisticsPooling.DefaultVarianceFloor);

    private static float Noise(Random random) => 2 * (random.NextSingle() - 0.5f);

    private static Tensor Write(Device device, int rows, int columns, float[] values)
    {
        var tensor = device.Allocate(Format.F32, rows, columns);
        device.Write(tensor, 0, values);
        return tensor;
    }

    private static float[] Read(Device device, Tensor tensor)
    {
        float[] values = new float[tensor.Count];
        device.Read(tensor, 0, values);
        return values;
    }
}
