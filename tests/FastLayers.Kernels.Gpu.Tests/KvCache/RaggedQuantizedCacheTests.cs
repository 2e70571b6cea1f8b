using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Tests.KvCache;
using FastLayers.Kernels.Threading;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests.KvCache;

/// <summary>
/// Two sequences of different length whose tokens alternate, in the mode of KIVI: groups are packed from rows of their own sequence, of this call and of
/// the one before (sequence 1 completes none), and rows attend to what is packed and to the tails of their own sequence.
/// </summary>
public sealed unsafe class RaggedQuantizedCacheTests
{
    private const int KvHeads = 2;
    private const int Tokens = 90;
    private const int PagesPerSequence = 2;

    [Theory]
    [InlineData(2, 4, 6)]
    [InlineData(4, 8, 2)]
    [InlineData(8, 2, 6)]
    [InlineData(16, 4, 2)]
    [InlineData(4, 16, 6)]
    public void Pages_tails_and_attention_are_those_of_the_definition(int keyBits, int valueBits, int heads)
    {
        const int keySize = 12, valueSize = 20;
        var keyLayout = QuantizedPageLayout.PerChannel(KvHeads, keySize, keyBits);
        var valueLayout = QuantizedPageLayout.PerToken(KvHeads, valueSize, valueBits, 16, tail: true);
        int[] table = [3, 1, 0, 2];
        var both = new AlternatingSequences(Tokens);
        int[] querySequences = [0, 1, 0, 1, 0, 1], end = [60, 30, 33, 1, 32, 0];
        float[] keys = CacheNoise.Values(4, Tokens * KvHeads * keySize), values = CacheNoise.Values(5, Tokens * KvHeads * valueSize), query = CacheNoise.Values(6, end.Length * heads * keySize);
        using var defined = new PackedCacheMemory(keyLayout, valueLayout, table, both.Lengths);
        var expected = new double[end.Length * heads * valueSize];

        using var device = new SimulatedDevice(4);
        var accelerator = device.Launcher.Accelerator;
        using var deviceKeys = accelerator.Allocate1D(defined.Keys.ToArray());
        using var deviceValues = accelerator.Allocate1D(defined.Values.ToArray());
        using var keyTail = accelerator.Allocate1D<float>(Math.Max(1, defined.KeyTail.Length));
        using var valueTail = accelerator.Allocate1D<float>(Math.Max(1, defined.ValueTail.Length));
        using var deviceTable = accelerator.Allocate1D(table);
        using var deviceLengths = accelerator.Allocate1D(both.Lengths);
        using var deviceSequences = accelerator.Allocate1D(both.Sequences);
        using var devicePositions = accelerator.Allocate1D(both.Positions);
        using var newKeys = accelerator.Allocate1D(keys);
        using var newValues = accelerator.Allocate1D(values);
        keyTail.MemSetToZero(device.Launcher.Stream);
        valueTail.MemSetToZero(device.Launcher.Stream);
        var cache = new GpuQuantizedCache
        {
            Keys = deviceKeys.View.AsContiguous(),
            Values = deviceValues.View.AsContiguous(),
            KeyLayout = keyLayout,
            ValueLayout = valueLayout,
            PageTable = deviceTable.View.AsContiguous(),
            PagesPerSequence = PagesPerSequence,
            KeyTail = keyTail.View.AsContiguous(),
            ValueTail = valueTail.View.AsContiguous(),
            Lengths = deviceLengths.View.AsContiguous(),
        };

        // In two calls, so that groups take tokens from the tail and from rows.
        foreach (var (start, count) in new[] { (0, 37), (37, Tokens - 37) })
        {
            AppendQuantizedKvKernels.Launch(
                device.Launcher, cache, Part(newKeys, start, count, KvHeads * keySize), Part(newValues, start, count, KvHeads * valueSize),
                Part(deviceSequences, start, count, 1), Part(devicePositions, start, count, 1), count);
        }

        using var deviceQuery = accelerator.Allocate1D(query);
        using var deviceQuerySequences = accelerator.Allocate1D(querySequences);
        using var deviceEnd = accelerator.Allocate1D(end);
        using var output = accelerator.Allocate1D<float>(expected.Length);
        var rows = new GpuAttentionRows
        {
            Query = deviceQuery.View.AsContiguous(),
            Output = output.View.AsContiguous(),
            Sequences = deviceQuerySequences.View.AsContiguous(),
            End = deviceEnd.View.AsContiguous(),
            Rows = end.Length,
            Heads = heads,
            Scale = 0.3f,
        };
        var plan = AttentionPlan.Create(device.Launcher, end.Length, heads, KvHeads, keySize, valueSize, 1, Tokens);
        using var scratch = accelerator.Allocate1D<float>(Math.Max(1, plan.ScratchLength(end.Length, heads, valueSize)));
        QuantizedAttentionKernels.Launch(device.Launcher, plan, cache, rows, scratch.View.AsContiguous());
        device.Launcher.Synchronize();

        using var pool = new WorkerPool(1);
        fixed (int* rowSequences = both.Sequences, rowPositions = both.Positions, attending = querySequences, rowEnd = end)
        fixed (float* k = keys, v = values, q = query)
        {
            QuantizedCacheReference.Append(defined.Cache, k, v, rowSequences, rowPositions, Tokens);
            QuantizedAttentionReference.Attend(
                new QuantizedAttentionArguments { Cache = defined.Cache, Query = q, Output = null, Sequences = attending, End = rowEnd, Rows = end.Length, Heads = heads, Scale = 0.3f },
                expected);
        }

        Assert.True(defined.Keys.ContainsAnyExcept((byte)0) && defined.Values.ContainsAnyExcept((byte)0));
        Assert.Equal(defined.Keys, deviceKeys.GetAsArray1D());
        Assert.Equal(defined.Values, deviceValues.GetAsArray1D());
        Assert.Equal(defined.KeyTail, keyTail.GetAsArray1D().AsSpan(0, defined.KeyTail.Length));
        Assert.Equal(defined.ValueTail, valueTail.GetAsArray1D().AsSpan(0, defined.ValueTail.Length));
        var actual = output.GetAsArray1D();
        for (int i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);
    }

    private static ArrayView<T> Part<T>(MemoryBuffer1D<T, Stride1D.Dense> buffer, int start, int count, int length)
        where T : unmanaged => buffer.View.SubView(start * length, count * length).AsContiguous();
}
