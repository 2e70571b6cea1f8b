using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Tests.Attention;

/// <summary>Kernels that are wrong on purpose, each in one place, must be found out by the comparison with the definition; the right ones pass the same runs.</summary>
public sealed class BrokenAttentionTests
{
    private const ulong Seed = 11;
    private static readonly KernelShape s_long = Shape(rows: 1, tokens: 1000, size: 16);

    /// <summary>One token short of a full group: all keys and values are in the tail.</summary>
    private static readonly KernelShape s_tail = Shape(rows: 1, tokens: 31, size: 64);

    public static TheoryData<string> RightNames => new("Attention.f32", "QuantizedAttention.Token.K4V4", "QuantizedAttention.Kivi.K4V4");

    [Theory]
    [MemberData(nameof(RightNames))]
    public void Right_kernels_pass(string name)
    {
        var operation = GpuCatalog.Operations.Single(candidate => candidate.Name == name);
        Assert.Null(Check(operation, s_long, Seed));
        Assert.Null(Check(operation, s_tail, Seed));
    }

    [Fact]
    public void Wrong_scale_of_the_scores_is_found() => AssertFound(Check(
        Attention((launcher, b, rows) =>
        {
            var (plan, scratch) = AttentionKernels.Plan(launcher, b);
            AttentionKernels.Launch(launcher, plan, AttentionKernels.Cache(b, half: false), WithEnd(rows, rows.End, rows.Scale * 1.01f), scratch);
        }),
        s_tail,
        Seed));

    [Fact]
    public void Scale_of_the_neighboring_group_is_found() => AssertFound(Check(
        new GpuOperation("QuantizedAttention.Token.K4V4", (launcher, b) =>
        {
            var (plan, scratch) = AttentionKernels.Plan(launcher, b);
            var cache = QuantizedAttentionKernels.Cache(b, "QuantizedAttention.Token.K4V4");
            var keys = new NeighborScale { Right = cache.TokenSide(keys: true) };
            var kernel = new GpuKernel<AttentionTile.Arguments<NeighborScale, GpuTokenSide>>("Broken.Scale", AttentionTile.Run);
            AttentionKernels.Launch(launcher, kernel, plan, keys, cache.TokenSide(keys: false), cache.Heads, cache.PageTable, cache.PagesPerSequence, AttentionKernels.Rows(b, 0), scratch);
        }),
        s_tail,
        Seed));

    [Fact]
    public void Missing_last_position_is_found() => AssertFound(Check(
        Attention((launcher, b, rows) =>
        {
            var (plan, scratch) = AttentionKernels.Plan(launcher, b);
            var end = b.Scratch<int>(1);
            end.CopyFromCPU(launcher.Stream, [b.Shape["tokens"] - 1]);
            AttentionKernels.Launch(launcher, plan, AttentionKernels.Cache(b, half: false), WithEnd(rows, end, rows.Scale), scratch);
        }),
        s_long,
        Seed));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tail_that_ends_one_position_late_is_found(bool ofKeys) => AssertFound(Check(
        new GpuOperation("QuantizedAttention.Kivi.K4V4", (launcher, b) =>
        {
            var (plan, scratch) = AttentionKernels.Plan(launcher, b);
            var cache = QuantizedAttentionKernels.Cache(b, "QuantizedAttention.Kivi.K4V4");
            var lengths = b.Scratch<int>(1);
            lengths.CopyFromCPU(launcher.Stream, [b.Shape["tokens"] + 1]);
            var keys = cache.ChannelSide();
            var values = cache.TokenSide(keys: false);
            if (ofKeys) keys.Tail.Lengths = lengths;
            else values.Tail.Lengths = lengths;
            AttentionKernels.Launch(launcher, QuantizedAttentionKernels.ChannelToken, plan, keys, values, cache.Heads, cache.PageTable, cache.PagesPerSequence, AttentionKernels.Rows(b, 0), scratch);
        }),
        s_tail,
        Seed));

    [Fact]
    public void Missing_barrier_between_the_factors_and_their_use_is_found()
    {
        var kernel = new GpuKernel<AttentionCombine.Arguments>("Broken.Combine", CombineWithoutBarrier);
        var operation = Attention((launcher, b, rows) =>
        {
            var (plan, scratch) = AttentionKernels.Plan(launcher, b);
            Assert.InRange(plan.Splits, 2, AttentionCombine.MaxSplits);
            var cache = AttentionKernels.Cache(b, half: false);
            AttentionKernels.LaunchTiles(launcher, AttentionKernels.F32, plan, cache.KeySide<float, GpuF32>(), cache.ValueSide<float, GpuF32>(), cache.Heads, cache.PageTable, cache.PagesPerSequence, rows, scratch);
            AttentionKernels.LaunchCombine(launcher, kernel, plan, cache.ValueSize, rows, scratch);
        });

        // A race: it need not show every time.
        Assert.Contains(Enumerable.Range(0, 20), run => Check(operation, s_long, Seed + (ulong)run) is not null);
    }

    /// <summary><see cref="AttentionCombine.Run"/> without its barrier.</summary>
    internal static void CombineWithoutBarrier(AttentionCombine.Arguments a)
    {
        var factors = SharedMemory.Allocate<float>(AttentionCombine.MaxSplits);
        int length = AttentionCombine.PartLength(a.ValueSize);
        var parts = a.Parts.SubView((long)Grid.IdxX * a.Splits * length, a.Splits * length);
        float max = parts[AttentionCombine.MaxPlace];
        for (int split = 1; split < a.Splits; split++) max = MathF.Max(max, parts[(split * length) + AttentionCombine.MaxPlace]);
        for (int split = Group.IdxX; split < a.Splits; split += Group.DimX) factors[split] = MathF.Exp(parts[(split * length) + AttentionCombine.MaxPlace] - max);

        float total = 0;
        for (int split = 0; split < a.Splits; split++) total += factors[split] * parts[(split * length) + AttentionCombine.SumPlace];
        for (int d = Group.IdxX; d < a.ValueSize; d += Group.DimX)
        {
            float sum = 0;
            for (int split = 0; split < a.Splits; split++) sum += factors[split] * parts[(split * length) + AttentionCombine.ValuesPlace + d];
            a.Output[((long)Grid.IdxX * a.ValueSize) + d] = sum / total;
        }
    }

    private static void AssertFound(string? failure) => Assert.Contains("has an error of", failure, StringComparison.Ordinal);

    private static string? Check(GpuOperation operation, KernelShape shape, ulong seed)
    {
        using var device = new SimulatedDevice(4, 4);
        var runner = new GpuKernelRunner(device.Launcher, "simulated", [operation]);
        return KernelCheck.Run(runner, KernelCatalog.Find(operation.Name), shape, seed).Failure;
    }

    private static GpuOperation Attention(Action<GpuLauncher, GpuBuffers, GpuAttentionRows> run) => new("Attention.f32", (launcher, b) => run(launcher, b, AttentionKernels.Rows(b, 0)));

    private static GpuAttentionRows WithEnd(GpuAttentionRows rows, ArrayView<int> end, float scale) => new()
    {
        Query = rows.Query,
        Output = rows.Output,
        Sequences = rows.Sequences,
        First = rows.First,
        End = end,
        Rows = rows.Rows,
        Heads = rows.Heads,
        Scale = scale,
    };

    private static KernelShape Shape(int rows, int tokens, int size) => new(("rows", rows), ("tokens", tokens), ("size", size), ("group", 1), ("window", 0));

    /// <summary>Keys of the first group with the scale and minimum of the second, and the other way round.</summary>
    internal struct NeighborScale : IGpuCacheSide
    {
        public GpuTokenSide Right;

        public readonly int Size => Right.Size;

        public readonly long Row(int sequence, int page, int position, int head) => Right.Row(sequence, page, position, head);

        public readonly Four<float> Load(long row, int position, int first)
        {
            var words = Right.Words.SubView(row, Right.HeadWords);
            int token = position % PagedCache.PageLength;
            int codes = words[(token * Right.RowWords) + (first * Right.Bits / 32)] >> (first * Right.Bits % 32);
            int parameters = words[Right.ParameterWord + (token * Right.Groups) + (1 - (first >> Right.GroupShift))];
            float scale = QuantizedWord.Scale(parameters), minimum = QuantizedWord.Minimum(parameters);
            return new() { A = minimum + (scale * (codes & 15)), B = minimum + (scale * ((codes >> 4) & 15)), C = minimum + (scale * ((codes >> 8) & 15)), D = minimum + (scale * ((codes >> 12) & 15)) };
        }
    }
}
