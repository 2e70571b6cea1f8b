using System.Runtime.InteropServices;
using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.Attention;

/// <summary>Attention over caches of each format where the catalog does not look: several threads, long contexts, values that are not finite.</summary>
public unsafe class CacheFormatTests
{
    private const int Size = 64;
    private const int Pages = 20;

    /// <summary>Absolute, for values of about 1: float dot products and an online softmax.</summary>
    private const double Tolerance = 2e-6;

    /// <summary>The same with queries rounded to 7 bits.</summary>
    private const double RoundedTolerance = 5e-3;

    public static TheoryData<string, string> Formats => new() { { "f32", "f32" }, { "f16", "f16" }, { "q8_0", "q8_0" }, { "q8_0", "q4_0" }, { "q4_0", "q4_0" }, { "f16", "q4_0" } };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Threads_and_workspaces_do_not_change_a_bit(string keys, string values)
    {
        using var memory = new Memory(keys, values, heads: 10, kvHeads: 2, end: 1203);
        float[]? first = null;
        for (int threads = 1; threads <= 4; threads++)
        {
            using var pool = new WorkerPool(threads);
            float[] output = memory.Attend(pool, SimdDispatch.Level);
            first ??= output;
            Assert.Equal(first, output);
        }

        using var one = new WorkerPool(1);
        Assert.Equal(0, Allocations.Least(() => memory.Run(one, SimdDispatch.Level)));
    }

    [Theory]
    [InlineData("f16", 0x7C00)] // ∞
    [InlineData("f16", 0x7E00)] // NaN
    [InlineData("f16", 0x0001)] // the smallest number
    [InlineData("q8_0", 0x7E00)]
    [InlineData("q4_0", 0x7C00)]
    [InlineData("q4_0", 0x0001)]
    public void Halves_at_the_ends_of_their_range_are_read_exactly(string format, int bits)
    {
        using var memory = new Memory(format, format, heads: 3, kvHeads: 1, end: 100);
        using var pool = new WorkerPool(1);

        // The first half of the key and of the value of token 70: an element, or a scale.
        *(ushort*)memory.Cache.Key(0, 70, 0) = (ushort)bits;
        *(ushort*)memory.Cache.Value(0, 70, 0) = (ushort)bits;
        double[] expected = memory.Expected();
        foreach (var level in Enum.GetValues<SimdLevel>())
        {
            float[] output = memory.Attend(pool, level, exact: true);
            for (int i = 0; i < output.Length; i++) Assert.Equal(expected[i], output[i], Tolerance);
            output = memory.Attend(pool, level);
            for (int i = 0; i < output.Length; i++) Assert.Equal(expected[i], output[i], format == "q4_0" ? RoundedTolerance : Tolerance);
        }
    }

    [Theory]
    [InlineData("q8_0", float.NaN)]
    [InlineData("q8_0", float.PositiveInfinity)]
    [InlineData("q4_0", 1e20f)]
    public void Queries_that_cannot_be_rounded_are_not(string format, float value)
    {
        using var memory = new Memory(format, format, heads: 3, kvHeads: 1, end: 100);
        using var pool = new WorkerPool(1);
        memory.Arguments.Query[Size + 5] = value;
        Assert.Equal(memory.Attend(pool, SimdDispatch.Level, exact: true), memory.Attend(pool, SimdDispatch.Level));
    }

    /// <summary>What an attention sink does: one token with nearly all of the weight, whose value is small, must not take the precision of the others.</summary>
    [Theory]
    [InlineData("q8_0")]
    [InlineData("q4_0")]
    public void A_token_with_nearly_all_of_the_weight_leaves_the_others_their_share(string format)
    {
        using var memory = new Memory("f32", format, heads: 1, kvHeads: 1, end: 60);
        using var pool = new WorkerPool(1);
        var query = new ReadOnlySpan<float>(memory.Arguments.Query, Size);
        float square = 0;
        foreach (float x in query) square += x * x;
        float* key = (float*)memory.Cache.Key(0, 0, 0);
        for (int i = 0; i < Size; i++) key[i] = query[i] * (12 / 0.125f / square);
        var value = new Span<byte>(memory.Cache.Value(0, 0, 0), memory.Cache.ValueBytes);
        float[] small = new float[Size];
        Array.Fill(small, 1e-6f);
        memory.Cache.ValueFormat.Encode(small, value);
        double[] expected = memory.Expected();
        float[] output = memory.Attend(pool, SimdDispatch.Level);
        double difference = 0, power = 0;
        for (int i = 0; i < Size; i++)
        {
            difference += (output[i] - expected[i]) * (output[i] - expected[i]);
            power += expected[i] * expected[i];
        }

        Assert.InRange(difference / power, 0, 1e-4);
        Assert.InRange(Math.Sqrt(power / Size), 1e-5, 0.05); // the others do have little weight
    }

    [Fact]
    public void A_missing_workspace_is_refused()
    {
        using var memory = new Memory("q8_0", "q8_0", heads: 2, kvHeads: 1, end: 1000);
        using var pool = new WorkerPool(1);
        Assert.Contains("2 parts", Assert.Throws<ArgumentException>(() => AttentionSimd.Attend(pool, memory.Arguments, null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q4_k", 256, "keys are stored as f32, f16, q8_0 or q4_0, not q4_k")]
    [InlineData("q8_0", 48, "q8_0 stores blocks of 32 values; heads of 48 keys are no whole blocks")]
    public void Formats_without_kernels_and_heads_without_whole_blocks_are_refused(string format, int size, string named)
    {
        using var pool = new WorkerPool(1);
        var cache = new PagedCache { Keys = null, Values = null, PageTable = null, PagesPerSequence = 1, Heads = 1, KeySize = size, ValueSize = size, KeyFormat = Find(format), ValueFormat = Format.F32 };
        Assert.Contains(named, Assert.Throws<ArgumentException>(() => AppendKv.Append(pool, cache, null, null, null, null, 0)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q8_0")]
    [InlineData("q4_0")]
    public void A_block_that_is_not_finite_reads_as_NaN_and_its_neighbors_as_they_are(string format)
    {
        using var pool = new WorkerPool(1);
        var row = new float[Size];
        Array.Fill(row, 1);
        row[3] = float.PositiveInfinity;
        var bytes = new byte[PagedCache.PageLength * Find(format).RowBytes(Size)];
        var decoded = new float[Size];
        int zero = 0;
        fixed (float* values = row)
        fixed (byte* page = bytes)
        {
            var cache = new PagedCache { Keys = page, Values = page, PageTable = &zero, PagesPerSequence = 1, Heads = 1, KeySize = Size, ValueSize = Size, KeyFormat = Find(format), ValueFormat = Find(format) };
            AppendKv.Append(pool, cache, values, values, &zero, &zero, 1);
            Find(format).Decode(new ReadOnlySpan<byte>(cache.Key(0, 0, 0), cache.KeyBytes), decoded);
        }

        Assert.All(decoded[..32], value => Assert.Equal(float.NaN, value));
        Assert.All(decoded[32..], value => Assert.Equal(1f, value, 1e-3));
    }

    private static Format Find(string name) => Format.TryParse(name, out var format) ? format : throw new ArgumentException(name);

    /// <summary>One query row over a cache of noise.</summary>
    private sealed class Memory : IDisposable
    {
        private readonly nint _cells;
        private readonly nint _workspace;
        private readonly int _outputs;

        public Memory(string keys, string values, int heads, int kvHeads, int end)
        {
            Format keyFormat = Find(keys), valueFormat = Find(values);
            int rows = Pages * kvHeads * PagedCache.PageLength;
            long keyBytes = rows * keyFormat.RowBytes(Size), valueBytes = rows * valueFormat.RowBytes(Size);
            _outputs = heads * Size;
            long floats = (2L * _outputs) + Pages + 2;
            _cells = (nint)NativeMemory.AlignedAlloc((nuint)(keyBytes + valueBytes + (floats * sizeof(float))), 64);
            var random = new Random(7);
            float[] noise = [.. Enumerable.Range(0, rows * Size).Select(_ => (float)(random.NextDouble() * 4) - 2)];
            byte* key = (byte*)_cells, value = key + keyBytes;
            float* query = (float*)(value + valueBytes);
            int* table = (int*)(query + (2L * _outputs));
            keyFormat.Encode(noise, new Span<byte>(key, (int)keyBytes));
            valueFormat.Encode(noise, new Span<byte>(value, (int)valueBytes));
            for (int i = 0; i < _outputs; i++) query[i] = noise[i * 3];
            for (int page = 0; page < Pages; page++) table[page] = Pages - 1 - page;
            table[Pages] = 0;
            table[Pages + 1] = end;
            Cache = new PagedCache { Keys = key, Values = value, PageTable = table, PagesPerSequence = Pages, Heads = kvHeads, KeySize = Size, ValueSize = Size, KeyFormat = keyFormat, ValueFormat = valueFormat };
            Arguments = new AttentionArguments { Cache = Cache, Query = query, Output = query + _outputs, Sequences = table + Pages, End = table + Pages + 1, Rows = 1, Heads = heads, Scale = 0.125f };
            _workspace = (nint)NativeMemory.Alloc((nuint)(AttentionSimd.WorkspaceLength(Arguments) * sizeof(float)));
        }

        public PagedCache Cache { get; }

        public AttentionArguments Arguments { get; }

        public void Run(WorkerPool pool, SimdLevel level, bool exact = false)
        {
            var arguments = new AttentionArguments
            {
                Cache = Cache,
                Query = Arguments.Query,
                Output = Arguments.Output,
                Sequences = Arguments.Sequences,
                End = Arguments.End,
                Rows = 1,
                Heads = Arguments.Heads,
                Scale = Arguments.Scale,
                Exact = exact,
            };
            AttentionSimd.Attend(pool, arguments, (float*)_workspace, level);
        }

        public float[] Attend(WorkerPool pool, SimdLevel level, bool exact = false)
        {
            Run(pool, level, exact);
            return new ReadOnlySpan<float>(Arguments.Output, _outputs).ToArray();
        }

        public double[] Expected()
        {
            var sums = new double[_outputs];
            AttentionReference.Attend(Arguments, sums);
            return sums;
        }

        public void Dispose()
        {
            NativeMemory.AlignedFree((void*)_cells);
            NativeMemory.Free((void*)_workspace);
        }
    }
}
