using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.KvCache;

/// <summary>Mistakes that a packer of waiting tokens can make, each made on purpose, must be found out by the comparison of bytes; the right launch passes the same run.</summary>
public sealed class BrokenAppendTests
{
    private const string Name = "AppendQuantizedKv.Kivi4";

    /// <summary>Tokens 32 to 36 are in the tail, 37 to 63 complete their group, and 64 to 69 take the places of the first of them.</summary>
    private static readonly KernelShape s_shape = new(("tokens", 70), ("size", 24), ("before", 37));

    [Fact]
    public void Right_launch_passes() => Assert.Null(Check(GpuCatalog.Operations.Single(operation => operation.Name == Name)));

    [Fact]
    public void Tail_replaced_before_its_group_is_packed_is_found() => AssertFound(Check(new GpuOperation(Name, (launcher, b) =>
    {
        AppendKeys(launcher, b);
        var values = Side(b, keys: false);
        Launch(launcher, AppendQuantizedKvKernels.Tail, values);
        Launch(launcher, AppendQuantizedKvKernels.Tokens, values);
    })));

    [Fact]
    public void Values_packed_at_once_are_found() => AssertFound(Check(new GpuOperation(Name, (launcher, b) =>
    {
        AppendKeys(launcher, b);
        var values = Side(b, keys: false);
        Launch(launcher, AppendQuantizedKvKernels.Tokens, values with { Layout = QuantizedPageLayout.PerToken(values.Layout.Heads, values.Layout.Size, values.Layout.Bits) });
        Launch(launcher, AppendQuantizedKvKernels.Tail, values);
    })));

    private static void AppendKeys(GpuLauncher launcher, GpuBuffers b)
    {
        var keys = Side(b, keys: true);
        Launch(launcher, AppendQuantizedKvKernels.Channels, keys);
        Launch(launcher, AppendQuantizedKvKernels.Tail, keys);
    }

    private static void Launch(GpuLauncher launcher, GpuKernel<QuantizeRows> kernel, QuantizeRows side) =>
        launcher.Launch(kernel, new Index3D(side.Rows, side.Layout.Heads, 1), launcher.GroupSize(4), side);

    private static QuantizeRows Side(GpuBuffers b, bool keys)
    {
        var cache = QuantizedAttentionKernels.Cache(b, "QuantizedAttention.Kivi.K4V4");
        int before = b.Shape["before"], rows = b.Shape["tokens"] - before, length = cache.Heads * b.Shape["size"];
        var pages = keys ? cache.Keys : cache.Values;
        return new()
        {
            Source = b.Floats(keys ? "newKeys" : "newValues").SubView(before * length, rows * length),
            Words = pages.Cast<int>(),
            Halves = pages.Cast<ushort>(),
            Tail = keys ? cache.KeyTail : cache.ValueTail,
            PageTable = cache.PageTable,
            Sequences = b.Ints("sequences").SubView(before, rows),
            Positions = b.Ints("positions").SubView(before, rows),
            Layout = keys ? cache.KeyLayout : cache.ValueLayout,
            PagesPerSequence = cache.PagesPerSequence,
            Rows = rows,
        };
    }

    private static void AssertFound(string? failure) => Assert.Contains("values", failure, StringComparison.Ordinal);

    private static string? Check(GpuOperation operation)
    {
        using var device = new SimulatedDevice(4, 4);
        return KernelCheck.Run(new GpuKernelRunner(device.Launcher, "simulated", [operation]), KernelCatalog.Find(operation.Name), s_shape, 11).Failure;
    }
}
