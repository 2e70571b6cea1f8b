using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Tests.KvCache;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Attention;

/// <summary>Attention over a quantized cache is attention over the floats that the cache decodes to.</summary>
public sealed unsafe class QuantizedAttentionTests
{
    /// <summary>Absolute, for values of about 1: float dot products and an online softmax.</summary>
    private const double Tolerance = 2e-6;

    private const int KvHeads = 2;
    private const int Heads = 6;
    private const int Tokens = 200;
    private const int PagesPerSequence = 4;

    public static TheoryData<SimdLevel, int, int, bool, int, int, int, float> Cases
    {
        get
        {
            var data = new TheoryData<SimdLevel, int, int, bool, int, int, int, float>();
            foreach (var level in Enum.GetValues<SimdLevel>())
            {
                data.Add(level, 4, 2, false, 64, 64, 0, 0);
                data.Add(level, 8, 16, false, 33, 20, 5, 2.5f);
                data.Add(level, 16, 4, false, 20, 40, 70, 0);
                data.Add(level, 4, 4, true, 40, 24, 0, 2.5f);
                data.Add(level, 2, 8, true, 33, 64, 70, 0);
                data.Add(level, 16, 2, true, 24, 33, 0, 0);
                data.Add(level, 8, 16, true, 20, 20, 5, 0);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_attention_over_the_decoded_cache(SimdLevel level, int keyBits, int valueBits, bool kivi, int keySize, int valueSize, int window, float softCap)
    {
        // Pages of the two sequences in no order.
        int[] table = [5, 0, 7, 2, 3, 6, 1, 4];
        var both = new AlternatingSequences(Tokens);
        var (first, end) = both.Seen(window, blindToken: 17);
        var keyLayout = kivi ? QuantizedPageLayout.PerChannel(KvHeads, keySize, keyBits) : QuantizedPageLayout.PerToken(KvHeads, keySize, keyBits);
        var valueLayout = QuantizedPageLayout.PerToken(KvHeads, valueSize, valueBits, 16, tail: kivi);
        using var memory = new PackedCacheMemory(keyLayout, valueLayout, table, both.Lengths);
        var cache = memory.Cache;
        float[] keys = CacheNoise.Values(1, Tokens * KvHeads * keySize), values = CacheNoise.Values(2, Tokens * KvHeads * valueSize), query = CacheNoise.Values(3, Tokens * Heads * keySize);
        var output = new float[Tokens * Heads * valueSize];
        var defined = new double[output.Length];
        var decoded = new double[output.Length];
        using var pool = new WorkerPool(2);
        fixed (float* floatKeys = new float[8 * KvHeads * 64 * keySize], floatValues = new float[8 * KvHeads * 64 * valueSize])
        fixed (int* rowSequences = both.Sequences, rowPositions = both.Positions, rowFirst = first, rowEnd = end)
        fixed (float* k = keys, v = values, q = query, o = output)
        {
            AppendQuantizedKv.Append(pool, cache, k, v, rowSequences, rowPositions, Tokens);
            var arguments = new QuantizedAttentionArguments
            {
                Cache = cache,
                Query = q,
                Output = o,
                Sequences = rowSequences,
                First = rowFirst,
                End = rowEnd,
                Rows = Tokens,
                Heads = Heads,
                Scale = 1f / MathF.Sqrt(keySize),
                SoftCap = softCap,
            };
            QuantizedAttentionReference.Attend(arguments, defined);
            QuantizedAttentionSimd.Attend(pool, arguments, level);

            for (int sequence = 0; sequence < 2; sequence++)
            {
                for (int position = 0; position < both.Lengths[sequence]; position++)
                {
                    int page = table[(sequence * PagesPerSequence) + (position / 64)];
                    for (int head = 0; head < KvHeads; head++)
                    {
                        int place = (((page * KvHeads) + head) * 64) + (position % 64);
                        for (int d = 0; d < keySize; d++) floatKeys[(place * keySize) + d] = QuantizedCacheReference.Key(cache, sequence, position, head, d);
                        for (int d = 0; d < valueSize; d++) floatValues[(place * valueSize) + d] = QuantizedCacheReference.Value(cache, sequence, position, head, d);
                    }
                }
            }

            AttentionReference.Attend(
                new AttentionArguments
                {
                    Cache = new PagedCache { Keys = (byte*)floatKeys, Values = (byte*)floatValues, PageTable = cache.PageTable, PagesPerSequence = PagesPerSequence, Heads = KvHeads, KeySize = keySize, ValueSize = valueSize, KeyFormat = Format.F32, ValueFormat = Format.F32 },
                    Query = q,
                    Output = o,
                    Sequences = rowSequences,
                    First = rowFirst,
                    End = rowEnd,
                    Rows = Tokens,
                    Heads = Heads,
                    Scale = 1f / MathF.Sqrt(keySize),
                    SoftCap = softCap,
                },
                decoded);
        }

        Assert.Equal(decoded, defined);
        for (int i = 0; i < output.Length; i++) Assert.Equal(decoded[i], output[i], Tolerance);
        Assert.All(output.AsSpan(17 * Heads * valueSize, Heads * valueSize).ToArray(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Pages_of_infinitely_low_scores_have_no_share()
    {
        const int tokens = 70, size = 8;
        using var memory = new CacheMemory(16, false, size, 1, tokens);
        var keys = new float[tokens * size];
        for (int token = 0; token < PagedCache.PageLength; token++) keys[token * size] = float.NegativeInfinity;
        var values = Enumerable.Range(0, tokens * size).Select(i => (float)(i / size)).ToArray();
        memory.Append(keys, values, 0, tokens);
        float[] query = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], output = new float[2 * size];
        using var pool = new WorkerPool(1);
        fixed (float* q = query, o = output)
        fixed (int* sequences = new int[2], end = new[] { tokens, PagedCache.PageLength })
        {
            QuantizedAttentionSimd.Attend(pool, new QuantizedAttentionArguments { Cache = memory.Cache, Query = q, Output = o, Sequences = sequences, End = end, Rows = 2, Heads = 1, Scale = 1 });
        }

        Assert.All(output[..size], value => Assert.Equal(66.5f, value)); // the mean of 64 to 69
        Assert.All(output[size..], value => Assert.Equal(float.NaN, value));
    }

    [Fact]
    public void Caches_that_lack_something_are_refused()
    {
        using var pool = new WorkerPool(1);
        var perToken = QuantizedPageLayout.PerToken(2, 16, 4);
        var perChannel = QuantizedPageLayout.PerChannel(2, 16, 4);
        var waiting = QuantizedPageLayout.PerToken(2, 16, 4, tail: true);
        Assert.Contains("keys that wait", Append(perChannel, perToken), StringComparison.Ordinal);
        Assert.Contains("values that wait", Append(perToken, waiting), StringComparison.Ordinal);
        Assert.Contains("for keys only", Append(perToken, perChannel), StringComparison.Ordinal);
        Assert.Contains("keys have 2 heads, values 3", Append(perToken, QuantizedPageLayout.PerToken(3, 16, 4)), StringComparison.Ordinal);
        Assert.Contains("keys that wait", Attend(perChannel, perToken, 2), StringComparison.Ordinal);
        Assert.Contains("multiple of the 2", Attend(perToken, perToken, 3), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => AppendQuantizedKv.Append(pool, Cache(perToken, perToken), null, null, null, null, -1));
        float tail;
        var withoutLengths = new QuantizedCache
        {
            Keys = null,
            Values = null,
            KeyLayout = perChannel,
            ValueLayout = waiting,
            PageTable = null,
            PagesPerSequence = 0,
            KeyTail = &tail,
            ValueTail = &tail,
        };
        Assert.Contains("lengths", Refused(withoutLengths, 2), StringComparison.Ordinal);

        string Append(QuantizedPageLayout keys, QuantizedPageLayout values) =>
            Assert.Throws<ArgumentException>(() => AppendQuantizedKv.Append(pool, Cache(keys, values), null, null, null, null, 0)).Message;

        string Attend(QuantizedPageLayout keys, QuantizedPageLayout values, int heads) => Refused(Cache(keys, values), heads);

        string Refused(QuantizedCache cache, int heads) => Assert.Throws<ArgumentException>(() => QuantizedAttentionSimd.Attend(
            pool, new QuantizedAttentionArguments { Cache = cache, Query = null, Output = null, Sequences = null, End = null, Rows = 0, Heads = heads, Scale = 1 })).Message;

        static QuantizedCache Cache(QuantizedPageLayout keys, QuantizedPageLayout values) =>
            new() { Keys = null, Values = null, KeyLayout = keys, ValueLayout = values, PageTable = null, PagesPerSequence = 0 };
    }
}
