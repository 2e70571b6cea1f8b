using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Tests.KvCache;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Attention;

/// <summary>Attention over a paged cache, filled by the append kernel, against the definition.</summary>
public unsafe class AttentionTests
{
    /// <summary>Absolute, for values of about 1: float dot products and an online softmax.</summary>
    private const double Tolerance = 2e-6;

    public static TheoryData<SimdLevel, bool, int, int, int, float> Cases
    {
        get
        {
            var data = new TheoryData<SimdLevel, bool, int, int, int, float>();
            foreach (var level in Enum.GetValues<SimdLevel>())
            {
                foreach (bool half in (bool[])[false, true])
                {
                    data.Add(level, half, 64, 64, 0, 0);
                    data.Add(level, half, 8, 8, 0, 0);
                    data.Add(level, half, 20, 12, 70, 0);
                    data.Add(level, half, 33, 40, 5, 2.5f);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_the_definition(SimdLevel level, bool half, int keySize, int valueSize, int window, float softCap)
    {
        const int tokens = 200;
        const int kvHeads = 2;
        const int heads = 6;
        const int pagesPerSequence = 4;
        using var pool = new WorkerPool(2);
        var random = new Random(keySize);
        var keys = Floats(random, tokens * kvHeads * keySize, 2);
        var values = Floats(random, tokens * kvHeads * valueSize, 2);
        var query = Floats(random, tokens * heads * keySize, 2);
        var output = new float[tokens * heads * valueSize];
        var expected = new double[output.Length];
        // Pages of the two sequences in no order.
        int[] table = [5, 0, 7, 2, 3, 6, 1, 4];
        var both = new AlternatingSequences(tokens);
        var (first, end) = both.Seen(window, blindToken: 17);
        var keyMemory = new byte[8 * kvHeads * PagedCache.PageLength * keySize * 4];
        var valueMemory = new byte[8 * kvHeads * PagedCache.PageLength * valueSize * 4];
        fixed (byte* keyBytes = keyMemory, valueBytes = valueMemory)
        fixed (int* pages = table, rowSequences = both.Sequences, rowPositions = both.Positions, rowFirst = first, rowEnd = end)
        fixed (float* k = keys, v = values, q = query, o = output)
        {
            var cache = new PagedCache { Keys = keyBytes, Values = valueBytes, PageTable = pages, PagesPerSequence = pagesPerSequence, Heads = kvHeads, KeySize = keySize, ValueSize = valueSize, KeyFormat = half ? Format.F16 : Format.F32, ValueFormat = half ? Format.F16 : Format.F32 };
            AppendKv.Append(pool, cache, k, v, rowSequences, rowPositions, tokens);
            var arguments = new AttentionArguments
            {
                Cache = cache,
                Query = q,
                Output = o,
                Sequences = rowSequences,
                First = rowFirst,
                End = rowEnd,
                Rows = tokens,
                Heads = heads,
                Scale = 1f / MathF.Sqrt(keySize),
                SoftCap = softCap,
            };
            AttentionReference.Attend(arguments, expected);
            AttentionSimd.Attend(pool, arguments, null, level);
        }

        for (int i = 0; i < output.Length; i++) Assert.Equal(expected[i], output[i], Tolerance);
        Assert.All(output.AsSpan(17 * heads * valueSize, heads * valueSize).ToArray(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void A_page_of_scores_of_minus_infinity_has_no_share()
    {
        using var pool = new WorkerPool(1);
        const int tokens = PagedCache.PageLength + 3;
        float[] keys = new float[2 * PagedCache.PageLength * 8], values = new float[keys.Length], query = new float[8], output = new float[8];
        for (int i = 0; i < PagedCache.PageLength; i++) keys[i * 8] = float.NegativeInfinity;
        for (int i = 0; i < values.Length; i++) values[i] = i % 13;
        query[0] = 1;
        int[] table = [0, 1];
        int zero = 0, end = tokens;
        double[] expected = new double[8];
        fixed (float* k = keys, v = values, q = query, o = output)
        fixed (int* pages = table)
        {
            var arguments = new AttentionArguments
            {
                Cache = new PagedCache { Keys = (byte*)k, Values = (byte*)v, PageTable = pages, PagesPerSequence = 2, Heads = 1, KeySize = 8, ValueSize = 8, KeyFormat = Format.F32, ValueFormat = Format.F32 },
                Query = q,
                Output = o,
                Sequences = &zero,
                End = &end,
                Rows = 1,
                Heads = 1,
                Scale = 1,
            };
            AttentionReference.Attend(arguments, expected);
            foreach (var level in Enum.GetValues<SimdLevel>())
            {
                AttentionSimd.Attend(pool, arguments, null, level);
                for (int i = 0; i < 8; i++) Assert.Equal(expected[i], output[i], Tolerance);
            }

            // Nothing but -∞: no share can be told.
            end = PagedCache.PageLength;
            AttentionReference.Attend(arguments, expected);
            AttentionSimd.Attend(pool, arguments, null);
            Assert.All(expected, value => Assert.Equal(double.NaN, value));
            Assert.All(output, value => Assert.Equal(float.NaN, value));
        }
    }

    [Theory]
    [InlineData(3, 0, 64, "[1, 3 · 8]")] // heads that do not divide among two
    [InlineData(2, 0, 65, "positions 0 to 64")]
    [InlineData(2, -1, 1, "positions -1 to 0")]
    public void Heads_and_positions_that_do_not_fit_are_refused(int heads, int firstPosition, int endPosition, string named)
    {
        using var pool = new WorkerPool(1);
        float[] memory = new float[2 * PagedCache.PageLength * 8], query = new float[24];
        int zero = 0;
        fixed (float* cells = memory, q = query)
        {
            var arguments = new AttentionArguments
            {
                Cache = OnePage((byte*)cells, &zero),
                Query = q,
                Output = q,
                Sequences = &zero,
                First = &firstPosition,
                End = &endPosition,
                Rows = 1,
                Heads = heads,
                Scale = 1,
            };
            string message = Assert.Throws<ArgumentException>(() => AttentionSimd.Attend(pool, arguments, null)).Message;
            Assert.StartsWith("AttentionSimd:", message, StringComparison.Ordinal);
            Assert.Contains(named, message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => AttentionReference.Attend(arguments, new double[24]));
        }
    }

    [Theory]
    [InlineData(64, 1)]
    [InlineData(-1, 1)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(0, -1)]
    public void Appending_where_no_page_is_is_refused(int position, int rows)
    {
        using var pool = new WorkerPool(1);
        float[] memory = new float[2 * PagedCache.PageLength * 8], row = new float[16];
        int zero = 0;
        fixed (float* cells = memory, values = row)
        {
            var cache = OnePage((byte*)cells, &zero);
            nint source = (nint)values, sequence = (nint)(&zero), place = (nint)(&position);
            string message = Assert.Throws<ArgumentException>(() => AppendKv.Append(pool, cache, (float*)source, (float*)source, (int*)sequence, (int*)place, rows)).Message;
            Assert.StartsWith("AppendKv:", message, StringComparison.Ordinal);
        }
    }

    private static PagedCache OnePage(byte* cells, int* table) =>
        new() { Keys = cells, Values = cells, PageTable = table, PagesPerSequence = 1, Heads = 2, KeySize = 8, ValueSize = 8, KeyFormat = Format.F32, ValueFormat = Format.F32 };

    private static float[] Floats(Random random, int count, double range) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 2 * range))];
}
