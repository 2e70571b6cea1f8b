using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Threading;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests.Attention;

/// <summary>Rows of several sequences in one call, in tiles that do not care where sequences begin, with rows that see nothing.</summary>
public sealed unsafe class MixedSequencesTests
{
    private const int KvHeads = 2;
    private const int Heads = 6;
    private const int PagesPerSequence = 3;

    [Theory]
    [InlineData(1, true)]
    [InlineData(4, true)]
    [InlineData(12, false)]
    public void Every_row_attends_to_its_own_sequence(int rowsPerSequence, bool windowed)
    {
        const int keySize = 12, valueSize = 20, tokens = 170;
        int[] table = [5, 0, 3, 2, 4, 1];
        int[] sequences = [0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1];
        int[] end = [3, 4, 5, 170, 1, 99, 100, 64, 65, 0, 7, 128];
        int[] first = [0, 2, 0, 150, 0, 60, 61, 64, 1, 0, 3, 64];
        float[] keys = Noise(1, 6 * KvHeads * 64 * keySize), values = Noise(2, 6 * KvHeads * 64 * valueSize), query = Noise(3, 12 * Heads * keySize);
        var expected = new double[12 * Heads * valueSize];
        fixed (float* k = keys, v = values, q = query)
        fixed (int* pages = table, rowSequences = sequences, rowFirst = first, rowEnd = end)
        {
            AttentionReference.Attend(
                new AttentionArguments
                {
                    Cache = new PagedCache { Keys = (byte*)k, Values = (byte*)v, PageTable = pages, PagesPerSequence = PagesPerSequence, Heads = KvHeads, KeySize = keySize, ValueSize = valueSize, IsHalf = false },
                    Query = q,
                    Output = null,
                    Sequences = rowSequences,
                    First = windowed ? rowFirst : null,
                    End = rowEnd,
                    Rows = 12,
                    Heads = Heads,
                    Scale = 0.3f,
                },
                expected);
        }

        using var device = new SimulatedDevice(4, 16);
        var accelerator = device.Launcher.Accelerator;
        using var deviceKeys = accelerator.Allocate1D(keys);
        using var deviceValues = accelerator.Allocate1D(values);
        using var deviceQuery = accelerator.Allocate1D(query);
        using var deviceTable = accelerator.Allocate1D(table);
        using var deviceSequences = accelerator.Allocate1D(sequences);
        using var deviceFirst = accelerator.Allocate1D(first);
        using var deviceEnd = accelerator.Allocate1D(end);
        using var output = accelerator.Allocate1D<float>(expected.Length);
        var cache = new GpuPagedCache
        {
            Keys = deviceKeys.View.AsContiguous().Cast<byte>(),
            Values = deviceValues.View.AsContiguous().Cast<byte>(),
            PageTable = deviceTable.View.AsContiguous(),
            PagesPerSequence = PagesPerSequence,
            Heads = KvHeads,
            KeySize = keySize,
            ValueSize = valueSize,
            IsHalf = false,
        };
        var rows = new GpuAttentionRows
        {
            Query = deviceQuery.View.AsContiguous(),
            Output = output.View.AsContiguous(),
            Sequences = deviceSequences.View.AsContiguous(),
            First = windowed ? deviceFirst.View.AsContiguous() : default,
            End = deviceEnd.View.AsContiguous(),
            Rows = 12,
            Heads = Heads,
            Scale = 0.3f,
        };
        // The context whole; split where the tiles leave the device idle; and in more parts than it has positions for.
        foreach (int longestContext in new[] { 1, tokens, 100_000 })
        {
            output.MemSetToZero(device.Launcher.Stream);
            var plan = AttentionPlan.Create(device.Launcher, 12, Heads, KvHeads, keySize, valueSize, rowsPerSequence, longestContext);
            using var scratch = accelerator.Allocate1D<float>(Math.Max(1, plan.ScratchLength(12, Heads, valueSize)));
            AttentionKernels.Launch(device.Launcher, plan, cache, rows, scratch.View.AsContiguous());
            device.Launcher.Synchronize();
            var actual = output.GetAsArray1D();
            for (int i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Groups_of_alternating_sequences_are_packed_from_their_own_rows(int bits)
    {
        const int size = 12, rows = 90;
        var keyLayout = QuantizedPageLayout.PerChannel(KvHeads, size, bits);
        var valueLayout = QuantizedPageLayout.PerToken(KvHeads, size, bits, 0);
        int[] table = [3, 1, 0, 2];
        int[] sequences = [.. Enumerable.Range(0, rows).Select(row => row % 3 == 0 ? 1 : 0)];
        int[] positions = [.. Enumerable.Range(0, rows).Select(row => row % 3 == 0 ? row / 3 : row - (row / 3) - 1)];
        float[] keys = Noise(4, rows * KvHeads * size), values = Noise(5, rows * KvHeads * size);
        var expectedKeys = new byte[4 * keyLayout.PageBytes];
        var expectedValues = new byte[4 * valueLayout.PageBytes];
        var expectedTail = new float[2 * KvHeads * 32 * size];

        using var device = new SimulatedDevice(4);
        var accelerator = device.Launcher.Accelerator;
        using var deviceKeys = accelerator.Allocate1D(expectedKeys);
        using var deviceValues = accelerator.Allocate1D(expectedValues);
        using var tail = accelerator.Allocate1D(expectedTail);
        using var deviceTable = accelerator.Allocate1D(table);
        using var deviceSequences = accelerator.Allocate1D(sequences);
        using var devicePositions = accelerator.Allocate1D(positions);
        using var newKeys = accelerator.Allocate1D(keys);
        using var newValues = accelerator.Allocate1D(values);
        var cache = new GpuQuantizedCache
        {
            Keys = deviceKeys.View.AsContiguous(),
            Values = deviceValues.View.AsContiguous(),
            KeyLayout = keyLayout,
            ValueLayout = valueLayout,
            PageTable = deviceTable.View.AsContiguous(),
            PagesPerSequence = 2,
            Tail = tail.View.AsContiguous(),
        };

        // In two calls, so that groups take keys from the tail and from rows.
        foreach (var (start, count) in new[] { (0, 37), (37, rows - 37) })
        {
            AppendQuantizedKvKernels.Launch(
                device.Launcher, cache, newKeys.View.SubView(start * KvHeads * size, count * KvHeads * size).AsContiguous(), newValues.View.SubView(start * KvHeads * size, count * KvHeads * size).AsContiguous(),
                deviceSequences.View.SubView(start, count).AsContiguous(), devicePositions.View.SubView(start, count).AsContiguous(), count);
        }

        device.Launcher.Synchronize();
        using var pool = new WorkerPool(1);
        fixed (byte* pageKeys = expectedKeys, pageValues = expectedValues)
        fixed (int* pages = table, rowSequences = sequences, rowPositions = positions)
        fixed (float* k = keys, v = values, t = expectedTail)
        {
            AppendQuantizedKv.Append(
                pool,
                new QuantizedCache { Keys = pageKeys, Values = pageValues, KeyLayout = keyLayout, ValueLayout = valueLayout, PageTable = pages, PagesPerSequence = 2, Tail = t },
                k, v, rowSequences, rowPositions, rows);
        }

        Assert.Contains(expectedKeys, b => b != 0);
        Assert.Equal(expectedKeys, deviceKeys.GetAsArray1D());
        Assert.Equal(expectedValues, deviceValues.GetAsArray1D());
        Assert.Equal(expectedTail, tail.GetAsArray1D());
    }

    private static float[] Noise(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 4))];
    }
}
