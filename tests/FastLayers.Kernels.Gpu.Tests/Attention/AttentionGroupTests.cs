using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Catalog;

namespace FastLayers.Kernels.Gpu.Tests.Attention;

/// <summary>Attention with groups of other sizes than the usual ones, and the ways to cut the work.</summary>
public sealed class AttentionGroupTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(32)]
    public void Any_group_size_will_do(int groupSize)
    {
        using var device = new SimulatedDevice(groupSize);
        var runner = new GpuKernelRunner(device.Launcher, $"simulated, {groupSize}");
        var operation = KernelCatalog.Find("Attention.f16");
        foreach (var shape in operation.Shapes.Where(shape => shape["tokens"] < 150))
            Assert.Null(KernelCheck.Run(runner, operation, shape, 7).Failure);
    }

    [Theory]
    [InlineData(1, 32, 8, 128, 1)] // decoding one token: split
    [InlineData(64, 32, 8, 128, 1)] // decoding many sequences
    [InlineData(512, 32, 8, 128, 512)] // a prompt: tiles of rows
    [InlineData(512, 4, 4, 512, 512)] // heads so large that only four queries fit
    [InlineData(7, 40, 2, 20, 7)] // more query heads than fit into a tile
    public void Plan_fits_the_shared_memory_and_covers_all_queries(int rows, int heads, int kvHeads, int size, int rowsPerSequence)
    {
        using var device = new SimulatedDevice(4);
        var plan = AttentionPlan.Create(device.Launcher, rows, heads, kvHeads, size, size, rowsPerSequence, 4096);
        Assert.InRange(plan.Quads * size, 1, AttentionTile.MaxHeadSize);
        Assert.InRange(plan.HeadsPerTile * plan.RowsPerTile, 1, plan.Quads * 4);
        Assert.True(plan.HeadTiles * plan.HeadsPerTile >= heads / kvHeads);
        Assert.InRange(plan.Splits, 1, AttentionCombine.MaxSplits);
        if (rowsPerSequence == 1) Assert.Equal(1, plan.RowsPerTile);
    }

    [Fact]
    public void Context_is_split_only_where_groups_are_missing()
    {
        using var device = new SimulatedDevice(4);
        Assert.InRange(AttentionPlan.Create(device.Launcher, 1, 2, 2, 64, 64, 1, 4096).Splits, 2, AttentionCombine.MaxSplits);
        Assert.Equal(1, AttentionPlan.Create(device.Launcher, 1, 2, 2, 64, 64, 1, 100).Splits);
        Assert.Equal(1, AttentionPlan.Create(device.Launcher, 100, 2, 2, 64, 64, 1, 4096).Splits);
    }

    [Theory]
    [InlineData(3, 2, 64, "multiple of the 2")]
    [InlineData(4, 2, 513, "513")]
    [InlineData(4, 2, 0, "found 0")]
    public void Impossible_heads_are_refused(int heads, int kvHeads, int size, string expected)
    {
        using var device = new SimulatedDevice(4);
        var exception = Assert.Throws<ArgumentException>(() => AttentionPlan.Create(device.Launcher, 1, heads, kvHeads, size, size, 1, 64));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }
}
