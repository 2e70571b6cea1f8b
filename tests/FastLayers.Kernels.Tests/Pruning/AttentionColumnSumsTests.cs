using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Pruning;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Pruning;

public sealed class AttentionColumnSumsTests
{
    private static readonly AttentionColumnShape s_shape = new() { Rows = 2, Tokens = 3, Heads = 2, KeyHeads = 1, Size = 4, Scale = 1 };

    [Theory]
    [InlineData(SimdLevel.V128, true)]
    [InlineData(SimdLevel.V256, true)]
    [InlineData(SimdLevel.V512, true)]
    [InlineData(SimdLevel.V512, false)]
    public void Scores_agree_with_the_definition_and_sum_to_one(SimdLevel level, bool causal)
    {
        var shape = new AttentionColumnShape { Rows = 11, Tokens = 197, Heads = 6, KeyHeads = 2, Size = 20, Scale = 0.7f };
        float[] query = Noise(11 * 6 * 20, 1), keys = Noise(197 * 2 * 20, 2), scratch = new float[shape.ScratchLength], scores = new float[197], again = new float[197];
        int[] positions = causal ? [.. Enumerable.Range(0, 11).Select(row => (row * 50) % 197)] : [];
        double[] expected = new double[197];
        AttentionColumnSumsReference.Compute(query, keys, positions, shape, expected);
        using WorkerPool one = new(1), three = new(3);
        AttentionColumnSums.Compute(level, one, query, keys, positions, shape, scratch, scores);
        AttentionColumnSums.Compute(level, three, query, keys, positions, shape, scratch, again);
        Assert.Equal(scores, again);
        Assert.Equal(1, scores.Sum(score => (double)score), 1e-5);
        for (int i = 0; i < 197; i++) Assert.Equal(expected[i], scores[i], 1e-5 * expected[i]);
    }

    [Fact]
    public void Row_sees_only_keys_up_to_its_position()
    {
        var shape = s_shape with { Rows = 1, Heads = 1, Size = 1 };
        float[] scores = new float[3];
        using var pool = new WorkerPool(1);
        AttentionColumnSums.Compute(pool, [0], [1, 2, float.NaN], [1], shape, new float[2], scores);
        Assert.Equal([0.5f, 0.5f, 0], scores);
    }

    [Fact]
    public void Products_far_from_zero_do_not_overflow()
    {
        var shape = s_shape with { Rows = 1, Heads = 1, Size = 1 };
        float[] scores = new float[3];
        using var pool = new WorkerPool(1);
        AttentionColumnSums.Compute(pool, [1000], [5, 5, 4], [], shape, new float[2], scores);
        Assert.Equal([0.5f, 0.5f, 0], scores);
        AttentionColumnSums.Compute(pool, [1], [float.NegativeInfinity, -1e30f, -1e30f], [], shape, new float[2], scores);
        Assert.Equal([0, 0.5f, 0.5f], scores);
    }

    [Fact]
    public unsafe void Rows_over_a_cache_are_refused_unless_they_are_of_one_sequence_with_pages()
    {
        using var pool = new WorkerPool(1);
        float* memory = stackalloc float[2 * 64];
        new Span<float>(memory, 2 * 64).Clear();
        float* query = stackalloc float[2], scratch = stackalloc float[4], scores = stackalloc float[4];
        int* table = stackalloc int[2] { 0, 1 }, sequences = stackalloc int[2], end = stackalloc int[2];
        var arguments = new AttentionArguments
        {
            Cache = new PagedCache { Keys = (byte*)memory, Values = null, PageTable = table, PagesPerSequence = 1, Heads = 1, KeySize = 1, ValueSize = 0, KeyFormat = Format.F32, ValueFormat = Format.F32 },
            Query = query,
            Output = null,
            Sequences = sequences,
            End = end,
            Rows = 2,
            Heads = 1,
            Scale = 1,
        };

        Assert.Equal("", Refusal(0, 1, 3, 4));
        Assert.Equal([(0.5f + (1 / 3f)) / 2, (0.5f + (1 / 3f)) / 2, 1 / 6f, 0], Scores(2, 3), (a, b) => MathF.Abs(a - b) < 1e-6f);
        Assert.Equal([0.5f, 0, 0, 0], Scores(0, 1));
        Assert.Contains("row 1 is of sequence 1, row 0 of 0", Refusal(1, 1, 3, 4), StringComparison.Ordinal);
        Assert.Contains("row 1 sees positions up to 4, expected below 4", Refusal(0, 1, 5, 4), StringComparison.Ordinal);
        Assert.Contains("has positions 0 to 63", Refusal(0, 1, 65, 100), StringComparison.Ordinal);

        float[] Scores(int first, int second)
        {
            (sequences[1], end[0], end[1]) = (0, first, second);
            AttentionColumnSums.Compute(pool, arguments, 4, scratch, scores);
            return [scores[0], scores[1], scores[2], scores[3]];
        }

        string Refusal(int sequence, int first, int second, int tokens)
        {
            (sequences[1], end[0], end[1]) = (sequence, first, second);
            try
            {
                AttentionColumnSums.Compute(pool, arguments, tokens, scratch, scores);
                return "";
            }
            catch (ArgumentException e)
            {
                return e.Message;
            }
        }
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        using var pool = new WorkerPool(1);
        float[] q = new float[16], k = new float[12], scratch = new float[8], y = new float[3];
        Refused("no token can attend", () => AttentionColumnSums.Compute(pool, [], k, [], s_shape with { Rows = 0 }, [], y));
        Refused("found [0, 4]", () => AttentionColumnSums.Compute(pool, q, [], [], s_shape with { Tokens = 0 }, scratch, []));
        Refused("found 2 and 3", () => AttentionColumnSums.Compute(pool, q, k, [], s_shape with { KeyHeads = 3 }, scratch, y));
        Refused("'query' should have 16 values, found 15", () => AttentionColumnSums.Compute(pool, q.AsSpan(1), k, [], s_shape, scratch, y));
        Refused("'keys' should have 12 values, found 11", () => AttentionColumnSums.Compute(pool, q, k.AsSpan(1), [], s_shape, scratch, y));
        Refused("'positions' should have 2 values, found 1", () => AttentionColumnSums.Compute(pool, q, k, [0], s_shape, scratch, y));
        Refused("position of row 1 should be below 3, found 3", () => AttentionColumnSums.Compute(pool, q, k, [0, 3], s_shape, scratch, y));
        Refused("position of row 0 should be below 3, found -1", () => AttentionColumnSums.Compute(pool, q, k, [-1, 2], s_shape, scratch, y));
        Refused("'scratch' should have 8 values, found 7", () => AttentionColumnSums.Compute(pool, q, k, [], s_shape, scratch.AsSpan(1), y));
        Refused("'scores' should have 3 values, found 2", () => AttentionColumnSums.Compute(pool, q, k, [], s_shape, scratch, y.AsSpan(1)));

        static void Refused(string message, Action call) => Assert.Contains(message, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
    }

    private static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * (random.NextSingle() - 0.5f))];
    }
}
