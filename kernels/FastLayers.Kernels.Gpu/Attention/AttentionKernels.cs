using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Attention;

/// <summary>Attention over a paged cache: see <see cref="Kernels.Attention.AttentionReference"/> for what, <see cref="AttentionTile"/> for how.</summary>
internal static class AttentionKernels
{
    private const int PreferredGroupSize = 128;

    public static GpuKernel<AttentionTile.Arguments<GpuFloatSide<float, GpuF32>, GpuFloatSide<float, GpuF32>>> F32 { get; } =
        new("Attention.f32", AttentionTile.Run, "ld.shared.v4.f32");

    public static GpuKernel<AttentionTile.Arguments<GpuFloatSide<ushort, GpuF16>, GpuFloatSide<ushort, GpuF16>>> F16 { get; } =
        new("Attention.f16", AttentionTile.Run, "ld.shared.v4.f32");

    public static IReadOnlyList<GpuKernel> All { get; } = [F32, F16, AttentionCombine.Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
        [Operation("Attention.f32", false, 0), Operation("Attention.f16", true, 0), Operation("Attention.Softcap", false, 2.5f)];

    /// <summary>Computes attention for all rows and heads.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="plan">How the work is cut.</param>
    /// <param name="cache">The cache.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="scratch">Memory for the parts of the context: <see cref="AttentionPlan.ScratchLength"/> floats.</param>
    public static void Launch(GpuLauncher launcher, in AttentionPlan plan, in GpuPagedCache cache, in GpuAttentionRows rows, ArrayView<float> scratch)
    {
        if (cache.IsHalf)
            Launch(launcher, F16, plan, cache.KeySide<ushort, GpuF16>(), cache.ValueSide<ushort, GpuF16>(), cache.Heads, cache.PageTable, cache.PagesPerSequence, rows, scratch);
        else
            Launch(launcher, F32, plan, cache.KeySide<float, GpuF32>(), cache.ValueSide<float, GpuF32>(), cache.Heads, cache.PageTable, cache.PagesPerSequence, rows, scratch);
    }

    /// <summary>Computes attention with the kernel for a kind of keys and values.</summary>
    public static void Launch<TKeys, TValues>(
        GpuLauncher launcher,
        GpuKernel<AttentionTile.Arguments<TKeys, TValues>> kernel,
        in AttentionPlan plan,
        TKeys keys,
        TValues values,
        int kvHeads,
        ArrayView<int> pageTable,
        int pagesPerSequence,
        in GpuAttentionRows rows,
        ArrayView<float> scratch)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        LaunchTiles(launcher, kernel, plan, keys, values, kvHeads, pageTable, pagesPerSequence, rows, scratch);
        if (plan.Splits > 1) LaunchCombine(launcher, AttentionCombine.Kernel, plan, values.Size, rows, scratch);
    }

    /// <summary>The first kernel: the result, or its parts where the context is split.</summary>
    internal static void LaunchTiles<TKeys, TValues>(
        GpuLauncher launcher,
        GpuKernel<AttentionTile.Arguments<TKeys, TValues>> kernel,
        in AttentionPlan plan,
        TKeys keys,
        TValues values,
        int kvHeads,
        ArrayView<int> pageTable,
        int pagesPerSequence,
        in GpuAttentionRows rows,
        ArrayView<float> scratch)
        where TKeys : struct, IGpuCacheSide
        where TValues : struct, IGpuCacheSide
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.Require("Attention", "query", rows.Query, (long)rows.Rows * rows.Heads * keys.Size);
        LaunchArguments.Require("Attention", "output", rows.Output, (long)rows.Rows * rows.Heads * values.Size);
        LaunchArguments.Require("Attention", "sequences", rows.Sequences, rows.Rows);
        LaunchArguments.Require("Attention", "end", rows.End, rows.Rows);
        if (rows.First.Length > 0) LaunchArguments.Require("Attention", "first", rows.First, rows.Rows);
        LaunchArguments.Require("Attention", "scratch", scratch, plan.ScratchLength(rows.Rows, rows.Heads, values.Size));

        var groups = new Index3D(AttentionPlan.DivideUp(rows.Rows, plan.RowsPerTile), kvHeads * plan.HeadTiles, plan.Splits);
        launcher.Launch(kernel, groups, launcher.GroupSize(PreferredGroupSize), new AttentionTile.Arguments<TKeys, TValues>
        {
            Keys = keys,
            Values = values,
            PageTable = pageTable,
            Sequences = rows.Sequences,
            First = rows.First.Length > 0 ? rows.First : rows.End,
            End = rows.End,
            Query = rows.Query,
            Output = rows.Output,
            Parts = plan.Splits > 1 ? scratch : rows.Output,
            PagesPerSequence = pagesPerSequence,
            Rows = rows.Rows,
            Heads = rows.Heads,
            HeadsPerKvHead = rows.Heads / kvHeads,
            HasFirst = rows.First.Length > 0 ? 1 : 0,
            Quads = plan.Quads,
            HeadsPerTile = plan.HeadsPerTile,
            RowsPerTile = plan.RowsPerTile,
            HeadTiles = plan.HeadTiles,
            Splits = plan.Splits,
            Scale = rows.Scale,
            SoftCap = rows.SoftCap,
        });
    }

    /// <summary>The second kernel: puts the parts together.</summary>
    internal static void LaunchCombine(GpuLauncher launcher, GpuKernel<AttentionCombine.Arguments> kernel, in AttentionPlan plan, int valueSize, in GpuAttentionRows rows, ArrayView<float> scratch) =>
        launcher.Launch(kernel, new Index3D(rows.Rows * rows.Heads, 1, 1), launcher.GroupSize(PreferredGroupSize), new AttentionCombine.Arguments
        {
            Parts = scratch,
            Output = rows.Output,
            Splits = plan.Splits,
            ValueSize = valueSize,
        });

    /// <summary>The cache of a catalog entry.</summary>
    internal static GpuPagedCache Cache(GpuBuffers b, bool half) => new()
    {
        Keys = b.Bytes("keys"),
        Values = b.Bytes("values"),
        PageTable = b.Ints("pages"),
        PagesPerSequence = (int)b.Ints("pages").Length,
        Heads = Kernels.Attention.AttentionCase.KvHeads,
        KeySize = b.Shape["size"],
        ValueSize = b.Shape["size"],
        IsHalf = half,
    };

    /// <summary>The rows of a catalog entry, those over quantized caches included.</summary>
    internal static GpuAttentionRows Rows(GpuBuffers b, float softCap) => new()
    {
        Query = b.Floats("q"),
        Output = b.Floats("y"),
        Sequences = b.Ints("sequences"),
        First = b.Ints("first"),
        End = b.Ints("end"),
        Rows = b.Shape["rows"],
        Heads = Kernels.Attention.AttentionCase.KvHeads * b.Shape["group"],
        Scale = 1f / MathF.Sqrt(b.Shape["size"]),
        SoftCap = softCap,
    };

    /// <summary>How the work of a catalog entry is cut, and the scratch memory for it.</summary>
    internal static (AttentionPlan Plan, ArrayView<float> Scratch) Plan(GpuLauncher launcher, GpuBuffers b)
    {
        int rows = b.Shape["rows"], size = b.Shape["size"], kvHeads = Kernels.Attention.AttentionCase.KvHeads, heads = kvHeads * b.Shape["group"];
        var plan = AttentionPlan.Create(launcher, rows, heads, kvHeads, size, size, rows, (int)b.Ints("pages").Length * PagedCache.PageLength);
        return (plan, b.Scratch<float>(checked((int)plan.ScratchLength(rows, heads, size))));
    }

    private static GpuOperation Operation(string name, bool half, float softCap) => new(name, (launcher, b) =>
    {
        var (plan, scratch) = Plan(launcher, b);
        Launch(launcher, plan, Cache(b, half), Rows(b, softCap), scratch);
    });
}
