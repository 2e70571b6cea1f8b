using FastLayers.Kernels.Attention;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
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
        // Pages of the two sequences in no order; sequence 1 has every third token.
        int[] table = [5, 0, 7, 2, 3, 6, 1, 4];
        int[] sequences = [.. Enumerable.Range(0, tokens).Select(i => i % 3 == 0 ? 1 : 0)];
        int[] positions = [.. Enumerable.Range(0, tokens).Select(i => i % 3 == 0 ? i / 3 : i - (i / 3) - 1)];
        int[] first = [.. positions.Select(p => window > 0 ? Math.Max(0, p - window + 1) : 0)];
        int[] end = [.. positions.Select(p => p + 1)];
        end[17] = first[17];
        var keyMemory = new byte[8 * kvHeads * PagedCache.PageLength * keySize * 4];
        var valueMemory = new byte[8 * kvHeads * PagedCache.PageLength * valueSize * 4];
        fixed (byte* keyBytes = keyMemory, valueBytes = valueMemory)
        fixed (int* pages = table, rowSequences = sequences, rowPositions = positions, rowFirst = first, rowEnd = end)
        fixed (float* k = keys, v = values, q = query, o = output)
        {
            var cache = new PagedCache { Keys = keyBytes, Values = valueBytes, PageTable = pages, PagesPerSequence = pagesPerSequence, Heads = kvHeads, KeySize = keySize, ValueSize = valueSize, IsHalf = half };
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
            AttentionSimd.Attend(pool, arguments, level);
        }

        for (int i = 0; i < output.Length; i++) Assert.Equal(expected[i], output[i], Tolerance);
        Assert.All(output.AsSpan(17 * heads * valueSize, heads * valueSize).ToArray(), value => Assert.Equal(0f, value));
    }

    private static float[] Floats(Random random, int count, double range) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 2 * range))];
}
