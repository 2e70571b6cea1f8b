using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Pruning;

namespace FastLayers.Gpu.Tests;

/// <summary>
/// Tokens dropped between two layers: the layers after run on fewer rows, at their old rotary positions, and give what a full forward gives
/// whose attention is masked so that nobody sees the dropped tokens.
/// </summary>
public sealed class PrunedForwardTests
{
    private const int Tokens = 13;
    private const int Kept = 6;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int HeadSize = 8;
    private const int Width = Heads * HeadSize;
    private const int Hidden = 48;
    private const double Tolerance = 1e-3;

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void Pruned_forward_equals_the_masked_full_forward(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(11);
        using var first = new Layer(device, random);
        using var second = new Layer(device, random);
        int[] positions = [.. Enumerable.Range(0, Tokens)];
        float[] input = Noise(random, Tokens * Width, 1);

        // Ties on purpose: of equal scores the earlier tokens stay, and the order of the sequence with them.
        int[] kept = new int[Kept];
        KeepTopK.Row([1, 2, 2, 0, 3, 2, 0, 1, 3, 2, 0, 0, 3], kept, new float[Kept]);
        Assert.Equal([1, 2, 4, 5, 8, 12], kept);

        float[] between = first.Run(input, positions, visible: null);
        float[] masked = second.Run(between, positions, [.. positions.Select(kept.Contains)]);
        float[] pruned = second.Run(Gather(device, between, kept), kept, visible: null);

        Assert.InRange(Difference.Largest(Rows(masked, kept), pruned), 0, Tolerance);
        float[] unmasked = second.Run(between, positions, visible: null);
        Assert.True(Difference.Largest(Rows(masked, kept), Rows(unmasked, kept)) > 10 * Tolerance, "The dropped tokens would not have mattered.");
    }

    private static float[] Rows(float[] values, int[] rows) => [.. rows.SelectMany(row => values.AsSpan(row * Width, Width).ToArray())];

    private static float[] Gather(Device device, float[] values, int[] rows)
    {
        using var source = device.Allocate(Format.F32, values.Length / Width, Width);
        using var target = device.Allocate(Format.F32, rows.Length, Width);
        device.Write(source, 0, values);
        device.GatherRows(source, rows, target, Width);
        return Read(device, target);
    }

    private static float[] Read(Device device, Tensor tensor)
    {
        float[] values = new float[tensor.Count];
        device.Read(tensor, 0, values);
        return values;
    }

    private static float[] Noise(Random random, int count, double deviation) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];

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
            _rotary = new RotaryTable(Tensor(Tokens, HeadSize / 2, [.. angles.Select(a => (float)Math.Cos(a))]), Tensor(Tokens, HeadSize / 2, [.. angles.Select(a => (float)Math.Sin(a))]), halves: true);

            Tensor Weight(int rows, int columns) => Tensor(rows, columns, Noise(random, rows * columns, 1 / Math.Sqrt(columns)));
        }

        public void Dispose() => _rotary.Dispose();

        /// <summary>One block over tokens at rotary positions; with flags, attention by hand that passes over the tokens that nobody may see.</summary>
        public float[] Run(float[] input, int[] positions, bool[]? visible)
        {
            int rows = positions.Length;
            var residual = Tensor(rows, Width, input);
            Tensor normed = Empty(rows, Width), hidden = Empty(rows, Width), query = Empty(rows, Width), attended = Empty(rows, Width);
            Tensor key = Empty(rows, KvHeads * HeadSize), value = Empty(rows, KvHeads * HeadSize), gate = Empty(rows, Hidden), up = Empty(rows, Hidden);
            _device.RmsNorm(residual, null, 1e-5f, normed, rows, Width);
            _device.MatMul(_query, null, normed, query, rows, ActivationPrecision.Float32);
            _device.MatMul(_key, null, normed, key, rows, ActivationPrecision.Float32);
            _device.MatMul(_value, null, normed, value, rows, ActivationPrecision.Float32);
            _device.Rotate(query, positions, Heads, HeadSize, _rotary);
            _device.Rotate(key, positions, KvHeads, HeadSize, _rotary);
            if (visible is null) Attend(query, key, value, attended, rows);
            else _device.Write(attended, 0, Masked(Read(_device, query), Read(_device, key), Read(_device, value), visible));

            _device.MatMul(_output, null, attended, hidden, rows, ActivationPrecision.Float32);
            _device.Add(residual, hidden, 1, rows, Width);
            _device.RmsNorm(residual, null, 1e-5f, normed, rows, Width);
            _device.MatMul(_gate, null, normed, gate, rows, ActivationPrecision.Float32);
            _device.MatMul(_up, null, normed, up, rows, ActivationPrecision.Float32);
            _device.Activate(ActivationKind.Silu, gate, up, gate, rows, Hidden);
            _device.MatMul(_down, null, gate, hidden, rows, ActivationPrecision.Float32);
            _device.Add(residual, hidden, 1, rows, Width);
            return Read(_device, residual);
        }

        /// <summary>Causal attention over a cache of the rows that there are, in places from 0 on.</summary>
        private void Attend(Tensor query, Tensor key, Tensor value, Tensor attended, int rows)
        {
            var cache = new KvLayer(Empty(KvHeads * 64, HeadSize), Empty(KvHeads * 64, HeadSize), KvHeads);
            var batch = new BatchRows
            {
                Sequences = new int[rows],
                Positions = Enumerable.Range(0, rows).ToArray(),
                WindowStart = new int[rows],
                End = Enumerable.Range(1, rows).ToArray(),
                PageTable = new int[1],
                PagesPerSequence = 1,
            };
            _device.AppendKv(cache, batch, key, value);
            _device.Attend(cache, batch, new AttentionOptions(Heads, 1 / MathF.Sqrt(HeadSize), 0, false), query, attended);
        }

        private static float[] Masked(float[] query, float[] key, float[] value, bool[] visible)
        {
            float[] result = new float[visible.Length * Width];
            for (int row = 0; row < visible.Length; row++)
            {
                // A dropped token may look at itself: what becomes of it is not compared, but must be a number.
                int[] seen = [.. Enumerable.Range(0, row + 1).Where(other => visible[other] || other == row)];
                for (int head = 0; head < Heads; head++)
                {
                    int kvHead = head / (Heads / KvHeads);
                    double[] weights = [.. seen.Select(other => Math.Exp(Enumerable.Range(0, HeadSize).Sum(d => (double)query[(row * Width) + (head * HeadSize) + d] * At(key, other, kvHead, d)) / Math.Sqrt(HeadSize)))];
                    for (int d = 0; d < HeadSize; d++)
                        result[(row * Width) + (head * HeadSize) + d] = (float)(seen.Select((other, i) => weights[i] * At(value, other, kvHead, d)).Sum() / weights.Sum());
                }
            }

            return result;
        }

        private static double At(float[] values, int row, int kvHead, int d) => values[(((row * KvHeads) + kvHead) * HeadSize) + d];

        private Tensor Empty(int rows, int columns) => _device.Allocate(Format.F32, rows, columns);

        private Tensor Tensor(int rows, int columns, float[] values)
        {
            var tensor = _device.Allocate(Format.F32, rows, columns);
            _device.Write(tensor, 0, values);
            return tensor;
        }
    }
}
