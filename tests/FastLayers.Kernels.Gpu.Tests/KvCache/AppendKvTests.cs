using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Threading;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests.KvCache;

/// <summary>The append kernel puts every value where the CPU's does, with the same bits, and nothing beside.</summary>
public sealed unsafe class AppendKvTests
{
    [Theory]
    [InlineData(false, 8, 8)]
    [InlineData(true, 20, 33)]
    [InlineData(true, 600, 4)]
    public void Pages_equal_those_of_the_processor(bool half, int keySize, int valueSize)
    {
        const int heads = 2;
        int[] table = [2, 0, 1, 3], sequences = [0, 1, 0], positions = [63, 70, 64];
        var random = new Random(keySize);
        float[] keys = [.. Enumerable.Range(0, 3 * heads * keySize).Select(_ => (float)(random.NextDouble() - 0.5))];
        float[] values = [.. Enumerable.Range(0, 3 * heads * valueSize).Select(_ => (float)(random.NextDouble() * 1e5))];
        var keyPages = new byte[4 * heads * PagedCache.PageLength * keySize * (half ? 2 : 4)];
        var valuePages = new byte[4 * heads * PagedCache.PageLength * valueSize * (half ? 2 : 4)];

        using var device = new SimulatedDevice(4);
        var accelerator = device.Launcher.Accelerator;
        using var deviceKeys = accelerator.Allocate1D(keyPages);
        using var deviceValues = accelerator.Allocate1D(valuePages);
        using var deviceTable = accelerator.Allocate1D(table);
        using var newKeys = accelerator.Allocate1D(keys);
        using var newValues = accelerator.Allocate1D(values);
        using var rowSequences = accelerator.Allocate1D(sequences);
        using var rowPositions = accelerator.Allocate1D(positions);
        var cache = new GpuPagedCache
        {
            Keys = deviceKeys.View.AsContiguous(),
            Values = deviceValues.View.AsContiguous(),
            PageTable = deviceTable.View.AsContiguous(),
            PagesPerSequence = 2,
            Heads = heads,
            KeySize = keySize,
            ValueSize = valueSize,
            IsHalf = half,
        };
        AppendKvKernels.Launch(device.Launcher, cache, newKeys.View.AsContiguous(), newValues.View.AsContiguous(), rowSequences.View.AsContiguous(), rowPositions.View.AsContiguous(), 3);
        device.Launcher.Synchronize();

        using var pool = new WorkerPool(1);
        fixed (byte* pageKeys = keyPages, pageValues = valuePages)
        fixed (int* pages = table, sequence = sequences, position = positions)
        fixed (float* k = keys, v = values)
        {
            AppendKv.Append(
                pool,
                new PagedCache { Keys = pageKeys, Values = pageValues, PageTable = pages, PagesPerSequence = 2, Heads = heads, KeySize = keySize, ValueSize = valueSize, KeyFormat = half ? Format.F16 : Format.F32, ValueFormat = half ? Format.F16 : Format.F32 },
                k, v, sequence, position, 3);
        }

        Assert.Contains(keyPages, b => b != 0);
        Assert.Equal(keyPages, deviceKeys.GetAsArray1D());
        Assert.Equal(valuePages, deviceValues.GetAsArray1D());
    }

    [Fact]
    public void Too_few_rows_are_refused()
    {
        using var device = new SimulatedDevice(4);
        using var bytes = device.Launcher.Accelerator.Allocate1D<byte>(64 * 4 * 4);
        using var floats = device.Launcher.Accelerator.Allocate1D<float>(7);
        using var ints = device.Launcher.Accelerator.Allocate1D<int>(2);
        var cache = new GpuPagedCache { Keys = bytes.View.AsContiguous(), Values = bytes.View.AsContiguous(), PageTable = ints.View.AsContiguous(), PagesPerSequence = 1, Heads = 1, KeySize = 4, ValueSize = 4, IsHalf = false };
        var exception = Assert.Throws<ArgumentException>(() =>
            AppendKvKernels.Launch(device.Launcher, cache, floats.View.AsContiguous(), floats.View.AsContiguous(), ints.View.AsContiguous(), ints.View.AsContiguous(), 2));
        Assert.Contains("AppendKv: 'keys' should have 8 elements, found 7", exception.Message, StringComparison.Ordinal);
    }
}
