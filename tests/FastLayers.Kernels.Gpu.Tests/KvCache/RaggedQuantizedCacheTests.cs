using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Threading;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests.KvCache;

/// <summary>
/// Two sequences of different length whose tokens alternate, in the mode of KIVI: groups are packed from rows of their own sequence, of this call and of
/// the one before, and rows attend to what is packed and to the tails of their own sequence.
/// </summary>
public sealed unsafe class RaggedQuantizedCacheTests
{
    private const int KvHeads = 2;
    private const int Tokens = 90;
    private const int Pages = 4;
    private const int PagesPerSequence = 2;

    /// <summary>Sequence 1, every third token, has not completed a group.</summary>
    private static readonly int[] s_lengths = [60, 30];

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
        int[] sequences = [.. Enumerable.Range(0, Tokens).Select(row => row % 3 == 0 ? 1 : 0)];
        int[] positions = [.. Enumerable.Range(0, Tokens).Select(row => row % 3 == 0 ? row / 3 : row - (row / 3) - 1)];
        int[] querySequences = [0, 1, 0, 1, 0, 1], end = [60, 30, 33, 1, 32, 0];
        float[] keys = Noise(4, Tokens * KvHeads * keySize), values = Noise(5, Tokens * KvHeads * valueSize), query = Noise(6, end.Length * heads * keySize);
        var expectedKeys = new byte[Pages * keyLayout.PageBytes];
        var expectedValues = new byte[Pages * valueLayout.PageBytes];
        var expectedKeyTail = new float[2 * keyLayout.TailLength];
        var expectedValueTail = new float[2 * valueLayout.TailLength];
        var expected = new double[end.Length * heads * valueSize];

        using var device = new SimulatedDevice(4);
        var accelerator = device.Launcher.Accelerator;
        using var deviceKeys = accelerator.Allocate1D(expectedKeys);
        using var deviceValues = accelerator.Allocate1D(expectedValues);
        using var keyTail = accelerator.Allocate1D<float>(Math.Max(1, expectedKeyTail.Length));
        using var valueTail = accelerator.Allocate1D<float>(Math.Max(1, expectedValueTail.Length));
        using var deviceTable = accelerator.Allocate1D(table);
        using var deviceLengths = accelerator.Allocate1D(s_lengths);
        using var deviceSequences = accelerator.Allocate1D(sequences);
        using var devicePositions = accelerator.Allocate1D(positions);
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
        fixed (byte* pageKeys = expectedKeys, pageValues = expectedValues)
        fixed (int* pages = table, rowSequences = sequences, rowPositions = positions, held = s_lengths, attending = querySequences, rowEnd = end)
        fixed (float* k = keys, v = values, q = query, tailKeys = expectedKeyTail, tailValues = expectedValueTail)
        {
            var defined = new QuantizedCache
            {
                Keys = pageKeys,
                Values = pageValues,
                KeyLayout = keyLayout,
                ValueLayout = valueLayout,
                PageTable = pages,
                PagesPerSequence = PagesPerSequence,
                KeyTail = tailKeys,
                ValueTail = tailValues,
                Lengths = held,
            };
            QuantizedCacheReference.Append(defined, k, v, rowSequences, rowPositions, Tokens);
            QuantizedAttentionReference.Attend(
                new QuantizedAttentionArguments { Cache = defined, Query = q, Output = null, Sequences = attending, End = rowEnd, Rows = end.Length, Heads = heads, Scale = 0.3f },
                expected);
        }

        Assert.Contains(expectedKeys, b => b != 0);
        Assert.Contains(expectedValues, b => b != 0);
        Assert.Equal(expectedKeys, deviceKeys.GetAsArray1D());
        Assert.Equal(expectedValues, deviceValues.GetAsArray1D());
        Assert.Equal(expectedKeyTail, keyTail.GetAsArray1D()[..expectedKeyTail.Length]);
        Assert.Equal(expectedValueTail, valueTail.GetAsArray1D()[..expectedValueTail.Length]);
        var actual = output.GetAsArray1D();
        for (int i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6);
    }

    private static ArrayView<T> Part<T>(MemoryBuffer1D<T, Stride1D.Dense> buffer, int start, int count, int length)
        where T : unmanaged => buffer.View.SubView(start * length, count * length).AsContiguous();

    private static float[] Noise(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 4))];
    }
}
