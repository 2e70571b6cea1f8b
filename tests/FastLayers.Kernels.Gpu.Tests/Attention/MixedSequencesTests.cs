using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Tests.KvCache;
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
        float[] keys = CacheNoise.Values(1, 6 * KvHeads * 64 * keySize), values = CacheNoise.Values(2, 6 * KvHeads * 64 * valueSize), query = CacheNoise.Values(3, 12 * Heads * keySize);
        var expected = new double[12 * Heads * valueSize];
        fixed (float* k = keys, v = values, q = query)
        fixed (int* pages = table, rowSequences = sequences, rowFirst = first, rowEnd = end)
        {
            AttentionReference.Attend(
                new AttentionArguments
                {
                    Cache = new PagedCache { Keys = (byte*)k, Values = (byte*)v, PageTable = pages, PagesPerSequence = PagesPerSequence, Heads = KvHeads, KeySize = keySize, ValueSize = valueSize, KeyFormat = Format.F32, ValueFormat = Format.F32 },
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
}
