using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pruning;

namespace FastLayers.Gpu.Tests;

/// <summary>
/// Tokens dropped between two layers, as DUET-VLM (arXiv:2602.18846) drops them, by operations of the device alone: ranked by the attention that
/// the last rows pay them in the next layer, the best kept in their order. The layer after runs on fewer rows, at their old rotary positions, and
/// gives what a full forward gives in which nobody sees the dropped tokens.
/// </summary>
public sealed class PrunedForwardTests
{
    private const int Tokens = 13;
    private const int Text = 4;
    private const int Kept = 3;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int HeadSize = 8;
    private const int Width = Heads * HeadSize;
    private const int Hidden = 48;
    private const double Tolerance = 1e-3;

    /// <summary>A prefix, the tokens that may go, and the text that asks.</summary>
    private const int Prefix = 2;
    private const int Visual = Tokens - Prefix - Text;

    private static readonly AttentionOptions s_options = new(Heads, 1 / MathF.Sqrt(HeadSize), 0, false);

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Pruned_forward_equals_the_masked_full_forward(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(11);
        using var first = new Layer(device, random);
        using var second = new Layer(device, random);
        int[] positions = [.. Enumerable.Range(0, Tokens)];
        using var stream = device.Allocate(Format.F32, Tokens, Width);
        device.Write(stream, 0, Noise(random, Tokens * Width, 1));
        first.Run(stream, positions, [Tokens]);

        int[] keep = Rank(device, second, stream, positions);
        int[] kept = [.. Enumerable.Range(0, Prefix), .. keep.Select(index => index + Prefix), .. Enumerable.Range(Tokens - Text, Text)];
        int[] dropped = [.. positions.Except(kept)];
        Assert.Equal(Kept, keep.Distinct().Count());
        Assert.Equal(keep.Order(), keep);
        Assert.Equal(Visual - Kept, dropped.Length);

        using Tensor pruned = device.Allocate(Format.F32, kept.Length, Width), full = device.Allocate(Format.F32, Tokens, Width), unmasked = device.Allocate(Format.F32, Tokens, Width);
        device.GatherRows(stream, kept, pruned, Width);
        second.Run(pruned, kept, [kept.Length]);

        // The mask: the kept tokens come first in the cache and see no further than their own place; the dropped ones see all.
        device.GatherRows(stream, [.. kept, .. dropped], full, Width);
        second.Run(full, [.. kept, .. dropped], [kept.Length, dropped.Length]);
        Assert.InRange(Difference.Largest(Read(device, full).AsSpan(0, kept.Length * Width), Read(device, pruned)), 0, Tolerance);

        device.Copy(stream, 0, unmasked, 0, Tokens);
        second.Run(unmasked, positions, [Tokens]);
        float[] all = Read(device, unmasked);
        Assert.True(
            Difference.Largest([.. kept.SelectMany(row => all.AsSpan(row * Width, Width).ToArray())], Read(device, pruned)) > 10 * Tolerance,
            "The dropped tokens would not have mattered.");
        Assert.InRange(Difference.Largest(ByHand(device, second, stream, kept), Read(device, pruned)), 0, Tolerance);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Merged_tokens_stand_for_their_groups(string name)
    {
        using var device = TestDevices.Open(name);
        using var layer = new Layer(device, new Random(12));
        using Tensor stream = device.Allocate(Format.F32, 8, Width), anchors = device.Allocate(Format.F32, 3, Width), members = device.Allocate(Format.F32, 5, Width), merged = device.Allocate(Format.F32, 3, Width);
        float[] distinct = Noise(new Random(13), 3 * Width, 1);

        // Every member is a multiple of its anchor's row: merging by mean the anchors' keys keep their direction.
        int[] expected = [2, 0, 1, 1, 2];
        device.Write(anchors, 0, distinct);
        device.Write(members, 0, [.. expected.SelectMany((group, i) => distinct.AsSpan(group * Width, Width).ToArray().Select(value => value * (i + 1)))]);
        int[] groups = new int[5];
        float[] cosines = new float[5];
        device.AssignToAnchors(members, 5, anchors, 3, Width, groups, cosines);
        Assert.Equal(expected, groups);
        Assert.All(cosines, cosine => Assert.Equal(1, cosine, 1e-6f));
        device.SegmentMean(MergeMode.Mean, anchors, 3, members, groups, merged, Width);
        float[] factors = [(1 + 2) / 2f, (1 + 3 + 4) / 3f, (1 + 1 + 5) / 3f];
        Assert.InRange(Difference.Largest([.. distinct.Select((value, i) => value * factors[i / Width])], Read(device, merged)), 0, 1e-5);
    }

    /// <summary>The tokens between prefix and text that the text looks at most, in the layer that comes next.</summary>
    private static int[] Rank(Device device, Layer next, Tensor stream, int[] positions)
    {
        using Tensor query = device.Allocate(Format.F32, Tokens, Width), scores = device.Allocate(Format.F32, 1, Tokens);
        var cache = next.Project(stream, positions, query);
        var text = Batch(Text, Tokens - Text);
        device.AttentionColumnSums(cache, text, s_options, query.SliceRows(Tokens - Text, Text), scores, Tokens);
        float[] found = Read(device, scores);
        Assert.Equal(1, found.Sum(), 1e-5);
        int[] keep = new int[Kept];
        device.KeepTopK(scores.Reshape(Tokens, 1).SliceRows(Prefix, Visual), 1, Visual, Kept, keep);
        float least = keep.Min(index => found[Prefix + index]);
        Assert.All(Enumerable.Range(0, Visual).Except(keep), index => Assert.True(found[Prefix + index] <= least));
        cache.Keys.Dispose();
        cache.Values.Dispose();
        return keep;
    }

    /// <summary>The rows that stay after a layer whose attention is computed by hand over all tokens, with weight 0 for the dropped ones.</summary>
    private static float[] ByHand(Device device, Layer layer, Tensor stream, int[] kept)
    {
        using Tensor residual = device.Allocate(Format.F32, Tokens, Width), query = device.Allocate(Format.F32, Tokens, Width), key = device.Allocate(Format.F32, Tokens, KvHeads * HeadSize);
        using Tensor value = device.Allocate(Format.F32, Tokens, KvHeads * HeadSize), attended = device.Allocate(Format.F32, Tokens, Width);
        device.Copy(stream, 0, residual, 0, Tokens);
        layer.Project(residual, [.. Enumerable.Range(0, Tokens)], query, key, value);
        float[] q = Read(device, query), k = Read(device, key), v = Read(device, value), result = new float[Tokens * Width];
        foreach (int row in kept)
        {
            int[] seen = [.. kept.Where(other => other <= row)];
            for (int head = 0; head < Heads; head++)
            {
                int kvHead = head / (Heads / KvHeads);
                double[] weights = [.. seen.Select(other => Math.Exp(Enumerable.Range(0, HeadSize).Sum(d => (double)q[(row * Width) + (head * HeadSize) + d] * At(k, other, kvHead, d)) / Math.Sqrt(HeadSize)))];
                for (int d = 0; d < HeadSize; d++)
                    result[(row * Width) + (head * HeadSize) + d] = (float)(seen.Select((other, i) => weights[i] * At(v, other, kvHead, d)).Sum() / weights.Sum());
            }
        }

        device.Write(attended, 0, result);
        layer.Finish(residual, attended, Tokens);
        float[] all = Read(device, residual);
        return [.. kept.SelectMany(row => all.AsSpan(row * Width, Width).ToArray())];

        static double At(float[] values, int row, int kvHead, int d) => values[(((row * KvHeads) + kvHead) * HeadSize) + d];
    }

    /// <summary>Rows of one sequence at places from <paramref name="start"/> on, each of which sees what is before it.</summary>
    private static BatchRows Batch(int rows, int start) => new()
    {
        Sequences = new int[rows],
        Positions = Enumerable.Range(start, rows).ToArray(),
        WindowStart = new int[rows],
        End = Enumerable.Range(start + 1, rows).ToArray(),
        PageTable = new int[1],
        PagesPerSequence = 1,
    };

    private static float[] Read(Device device, Tensor tensor)
    {
        float[] values = new float[tensor.Count];
        device.Read(tensor, 0, values);
        return values;
    }

    private static float[] Noise(Random random, int count, double deviation) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];

    /// <summary>A block of a decoder with weights of noise.</summary>
    private sealed class Layer : IDisposable
    {
        private readonly Device _device;
        private readonly Tensor _query, _key, _value, _output, _gate, _up, _down;
        private readonly RotaryTable _rotary;

        public Layer(Device device, Random random)
        {
            _device = device;
            (_query, _key, _value, _output) = (Weight(Width, Width), Weight(KvHeads * HeadSize, Width), Weight(KvHeads * HeadSize, Width), Weight(Width, Width));
            (_gate, _up, _down) = (Weight(Hidden, Width), Weight(Hidden, Width), Weight(Width, Hidden));
            double[] angles = [.. from position in Enumerable.Range(0, Tokens) from pair in Enumerable.Range(0, HeadSize / 2) select position * Math.Pow(10_000, -2.0 * pair / HeadSize)];
            _rotary = new RotaryTable(Filled(Tokens, HeadSize / 2, [.. angles.Select(a => (float)Math.Cos(a))]), Filled(Tokens, HeadSize / 2, [.. angles.Select(a => (float)Math.Sin(a))]), halves: true);

            Tensor Weight(int rows, int columns) => Filled(rows, columns, Noise(random, rows * columns, 1 / Math.Sqrt(columns)));
        }

        public void Dispose() => _rotary.Dispose();

        /// <summary>The block over tokens at rotary positions, in place; the runs are appended to the cache and attend one after the other.</summary>
        public void Run(Tensor residual, int[] positions, int[] runs)
        {
            using Tensor query = Empty(positions.Length, Width), attended = Empty(positions.Length, Width);
            var cache = Project(residual, positions, query);
            int start = 0;
            foreach (int count in runs)
            {
                _device.Attend(cache, Batch(count, start), s_options, query.SliceRows(start, count), attended.SliceRows(start, count));
                start += count;
            }

            Finish(residual, attended, positions.Length);
            cache.Keys.Dispose();
            cache.Values.Dispose();
        }

        /// <summary>A cache of one page with the keys and values of the rows, in places from 0 on.</summary>
        public KvLayer Project(Tensor residual, int[] positions, Tensor query)
        {
            using Tensor key = Empty(positions.Length, KvHeads * HeadSize), value = Empty(positions.Length, KvHeads * HeadSize);
            Project(residual, positions, query, key, value);
            var cache = new KvLayer(Empty(KvHeads * 64, HeadSize), Empty(KvHeads * 64, HeadSize), KvHeads);
            _device.AppendKv(cache, Batch(positions.Length, 0), key, value);
            return cache;
        }

        public void Project(Tensor residual, int[] positions, Tensor query, Tensor key, Tensor value)
        {
            int rows = positions.Length;
            using var normed = Empty(rows, Width);
            _device.RmsNorm(residual, null, 1e-5f, normed, rows, Width);
            _device.MatMul(_query, null, normed, query, rows, ActivationPrecision.Float32);
            _device.MatMul(_key, null, normed, key, rows, ActivationPrecision.Float32);
            _device.MatMul(_value, null, normed, value, rows, ActivationPrecision.Float32);
            _device.Rotate(query, positions, Heads, HeadSize, _rotary);
            _device.Rotate(key, positions, KvHeads, HeadSize, _rotary);
        }

        /// <summary>What follows attention.</summary>
        public void Finish(Tensor residual, Tensor attended, int rows)
        {
            using Tensor normed = Empty(rows, Width), hidden = Empty(rows, Width), gate = Empty(rows, Hidden), up = Empty(rows, Hidden);
            _device.MatMul(_output, null, attended, hidden, rows, ActivationPrecision.Float32);
            _device.Add(residual, hidden, 1, rows, Width);
            _device.RmsNorm(residual, null, 1e-5f, normed, rows, Width);
            _device.MatMul(_gate, null, normed, gate, rows, ActivationPrecision.Float32);
            _device.MatMul(_up, null, normed, up, rows, ActivationPrecision.Float32);
            _device.Activate(ActivationKind.Silu, gate, up, gate, rows, Hidden);
            _device.MatMul(_down, null, gate, hidden, rows, ActivationPrecision.Float32);
            _device.Add(residual, hidden, 1, rows, Width);
        }

        private Tensor Empty(int rows, int columns) => _device.Allocate(Format.F32, rows, columns);

        private Tensor Filled(int rows, int columns, float[] values)
        {
            var tensor = Empty(rows, columns);
            _device.Write(tensor, 0, values);
            return tensor;
        }
    }
}
