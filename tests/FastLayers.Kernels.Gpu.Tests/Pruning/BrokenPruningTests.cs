using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Pooling;
using FastLayers.Kernels.Gpu.Pruning;
using FastLayers.Kernels.Gpu.Selection;
using FastLayers.Kernels.Gpu.Tests.Pooling;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Pruning;

/// <summary>The comparison with the definitions finds what is easily done wrong in statistics pooling and token pruning.</summary>
public sealed class BrokenPruningTests
{
    /// <summary>Which thread comes first is chance; without a barrier one of so many runs goes wrong.</summary>
    private const int AttemptsAtChance = 20;

    private static readonly GpuKernel<StatisticsPoolingKernels.Arguments> s_wrongScale = new("Statistics.WrongScale", BrokenPoolingKernels.WrongScale);
    private static readonly GpuKernel<StatisticsPoolingKernels.Arguments> s_forgottenTail = new("Statistics.ForgottenTail", BrokenPoolingKernels.ForgottenTail);
    private static readonly GpuKernel<StatisticsPoolingKernels.Arguments> s_cancelling = new("Statistics.Cancelling", BrokenPoolingKernels.CancellingVariance);
    private static readonly GpuKernel<StatisticsPoolingKernels.Arguments> s_unfenced = new("Statistics.WithoutBarrier", BrokenPoolingKernels.WithoutBarrier);
    private static readonly GpuKernel<AttentionColumnSumsKernels.Arguments> s_unfencedSums = new("ColumnSums.WithoutBarrier", BrokenPruningKernels.StatisticsWithoutBarrier);
    private static readonly GpuKernel<AnchorAssignmentKernels.Arguments> s_byProduct = new("Anchor.ByProduct", BrokenPruningKernels.AssignByProduct);
    private static readonly GpuKernel<AnchorAssignmentKernels.Arguments> s_last = new("Anchor.Last", BrokenPruningKernels.AssignLast);
    private static readonly GpuKernel<AnchorAssignmentKernels.Arguments> s_unfencedAnchor = new("Anchor.WithoutBarrier", BrokenPruningKernels.AssignWithoutBarrier);

    private static readonly Dictionary<string, (string Operation, int Shape, Action<GpuLauncher, GpuBuffers> Run)> s_cases = new()
    {
        ["Statistics with a wrong scale"] = ("StatisticsPooling.ChannelScores", 6, (l, b) => Pool(l, b, s_wrongScale)),
        ["Statistics without the last frame"] = ("StatisticsPooling.ChannelScores", 6, (l, b) => Pool(l, b, s_forgottenTail)),
        ["Statistics that cancel"] = ("StatisticsPooling.ChannelScores", 8, (l, b) => Pool(l, b, s_cancelling)),
        ["Statistics without a barrier"] = ("StatisticsPooling.ChannelScores", 5, (l, b) => Pool(l, b, s_unfenced)),
        ["Statistics without a floor"] = ("StatisticsPooling.FrameScores", 2, (l, b) =>
            StatisticsPoolingKernels.Start(l, StatisticsPoolingKernels.Kernel, StatisticsPoolingKernels.Operands(b) with { VarianceFloor = 0 }, b.Shape["batch"])),
        ["Statistics of the padding too"] = ("StatisticsPooling.FrameScores", 6, (l, b) => Pool(l, b, lengths => lengths.Fill(b.Shape["frames"]))),
        ["Statistics without the last sequence"] = ("StatisticsPooling.FrameScores", 6, (l, b) =>
            StatisticsPoolingKernels.Start(l, StatisticsPoolingKernels.Kernel, StatisticsPoolingKernels.Operands(b), b.Shape["batch"] - 1)),
        ["Attention with a wrong scale"] = ("AttentionColumnSums.Causal", 3, (l, b) => Attend(l, b, a => a with { Scale = a.Scale * 1.01f }, a => a)),
        ["Attention without a mask"] = ("AttentionColumnSums.Causal", 3, (l, b) => Attend(l, b, a => a with { HasEnd = 0 }, a => a)),
        ["Attention without the last row"] = ("AttentionColumnSums.Full", 3, (l, b) => Attend(l, b, a => a, a => a with { Rows = a.Rows - 1 })),
        ["Attention without the last head"] = ("AttentionColumnSums.Full", 3, (l, b) => Attend(l, b, a => a, a => a with { Heads = a.Heads - 1 }, true)),
        ["Attention without a window"] = ("AttentionColumnSums.Paged.f32", 3, (l, b) => AttendPages(l, b, false, a => a with { HasFirst = 0 })),
        ["Attention to pages in the order of memory"] = ("AttentionColumnSums.Paged.f16", 5, (l, b) => AttendPages(l, b, true, a => a with { Pages = Rising(l, b) })),
        ["Attention without a soft cap"] = ("AttentionColumnSums.Softcap", 4, (l, b) => AttendPages(l, b, false, a => a)),
        ["Norms without the last value"] = ("RowNorms", 7, (l, b) => Norms(l, b, RowNormsKernels.NormKernel, 1)),
        ["Changes without the last value"] = ("RowNorms.RelativeChange", 7, (l, b) => Norms(l, b, RowNormsKernels.ChangeKernel, 1)),
        ["Norms of the first row only"] = ("RowNorms", 8, (l, b) => RowNormsKernels.Launch(l, b.Floats("x"), b.Floats("y"), 1, b.Shape["columns"])),
        ["Attention without a barrier"] = ("AttentionColumnSums.Full", 1, (l, b) =>
        {
            var arguments = AttentionColumnSumsKernels.Operands(b);
            AttentionColumnSumsKernels.StartStatistics(l, s_unfencedSums, arguments);
            AttentionColumnSumsKernels.StartHeads(l, arguments);
            AttentionColumnSumsKernels.StartSum(l, arguments);
        }
        ),
        ["Kept by value, not by index"] = ("KeepTopK", 5, (l, b) =>
        {
            int scratch = TopKKernels.ScratchLength(b.Shape["rows"], b.Shape["columns"], b.Shape["k"]);
            TopKKernels.Launch(
                l, b.Floats("scores"), b.Ints("kept"), b.Floats("values"), b.Shape["rows"], b.Shape["columns"], b.Shape["k"], b.Scratch<int>(scratch), b.Scratch<float>(scratch));
        }
        ),
        ["One token too few"] = ("KeepTopK", 7, (l, b) => Keep(l, b, b.Shape["columns"], b.Shape["k"] - 1)),
        ["Half of the tokens"] = ("KeepTopK", 7, (l, b) => Keep(l, b, b.Shape["columns"] / 2, b.Shape["k"])),
        ["Anchors by product"] = ("AnchorAssignment", 6, (l, b) => AssignWith(l, b, s_byProduct)),
        ["Last of equal anchors"] = ("AnchorAssignment", 6, (l, b) => AssignWith(l, b, s_last)),
        ["Anchors without a barrier"] = ("AnchorAssignment", 3, (l, b) => AssignWith(l, b, s_unfencedAnchor)),
        ["Anchors without the first"] = ("AnchorAssignment", 7, (l, b) => AnchorAssignmentKernels.Launch(
            l, b.Floats("members"), b.Shape["members"], b.Floats("anchors").SubView(b.Shape["columns"], (b.Shape["anchors"] - 1) * b.Shape["columns"]), b.Shape["anchors"] - 1,
            b.Shape["columns"], b.Ints("groups"), b.Floats("cosines"))),
        ["Merge of the other mode"] = ("SegmentMean.Mean", 4, (l, b) => Merge(l, b, MergeMode.AnchorPlusMean, b.Shape["members"])),
        ["Merge without the last member"] = ("SegmentMean.AnchorPlusMean", 4, (l, b) => Merge(l, b, MergeMode.AnchorPlusMean, b.Shape["members"] - 1)),
    };

    public static IEnumerable<TheoryDataRow<string>> Names => s_cases.Keys.Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Broken_kernel_fails_where_the_right_one_passes(string name)
    {
        using var device = new SimulatedDevice();
        var (operationName, index, run) = s_cases[name];
        var operation = KernelCatalog.Find(operationName);
        var shape = operation.Shapes[index];
        Assert.Null(KernelCheck.Run(new GpuKernelRunner(device.Launcher, "emulated"), operation, shape, 1).Failure);

        var broken = new GpuKernelRunner(device.Launcher, "emulated", [new GpuOperation(operationName, run)]);
        int attempts = name.Contains("barrier", StringComparison.Ordinal) ? AttemptsAtChance : 1;
        Assert.Contains(Enumerable.Range(1, attempts), seed => KernelCheck.Run(broken, operation, shape, (ulong)seed).Failure is not null);
    }

    private static void Pool(GpuLauncher launcher, GpuBuffers b, GpuKernel<StatisticsPoolingKernels.Arguments> kernel) =>
        StatisticsPoolingKernels.Start(launcher, kernel, StatisticsPoolingKernels.Operands(b), b.Shape["batch"]);

    private static void Pool(GpuLauncher launcher, GpuBuffers b, SpanFill fill)
    {
        int[] lengths = new int[b.Shape["batch"]];
        fill(lengths);
        var view = b.Scratch<int>(lengths.Length);
        launcher.Upload<int>(lengths, view);
        StatisticsPoolingKernels.Start(launcher, StatisticsPoolingKernels.Kernel, StatisticsPoolingKernels.Operands(b) with { Lengths = view }, lengths.Length);
    }

    private static void Attend(
        GpuLauncher launcher, GpuBuffers b, Func<AttentionColumnSumsKernels.Arguments, AttentionColumnSumsKernels.Arguments> all,
        Func<AttentionColumnSumsKernels.Arguments, AttentionColumnSumsKernels.Arguments> later, bool onlySum = false)
    {
        var arguments = all(AttentionColumnSumsKernels.Operands(b));
        AttentionColumnSumsKernels.StartStatistics(launcher, AttentionColumnSumsKernels.StatisticsKernel, arguments);
        AttentionColumnSumsKernels.StartHeads(launcher, onlySum ? arguments : later(arguments));
        AttentionColumnSumsKernels.StartSum(launcher, later(arguments));
    }

    private static void AttendPages(GpuLauncher launcher, GpuBuffers b, bool half, Func<AttentionColumnSumsKernels.Arguments, AttentionColumnSumsKernels.Arguments> change) =>
        AttentionColumnSumsKernels.Start(launcher, change(AttentionColumnSumsKernels.PagedOperands(b, half, 0)));

    private static ArrayView<int> Rising(GpuLauncher launcher, GpuBuffers b)
    {
        int count = (int)b.Ints("pages").Length;
        var pages = b.Scratch<int>(count);
        launcher.Upload<int>([.. Enumerable.Range(0, count)], pages);
        return pages;
    }

    /// <summary>As if the row, of which there is one, ended earlier.</summary>
    private static void Norms(GpuLauncher launcher, GpuBuffers b, GpuKernel<RowNormsKernels.Arguments> kernel, int forgotten) =>
        launcher.Launch(kernel, new Index3D(1, 1, 1), launcher.GroupSize(4), new RowNormsKernels.Arguments
        {
            X = b.Floats("x"),
            After = kernel == RowNormsKernels.ChangeKernel ? b.Floats("after") : b.Floats("x"),
            Y = b.Floats("y"),
            Columns = b.Shape["columns"] - forgotten,
        });

    private static void Keep(GpuLauncher launcher, GpuBuffers b, int columns, int k)
    {
        int scratch = KeepTopKKernels.ScratchLength(1, columns, k);
        KeepTopKKernels.Launch(launcher, b.Floats("scores"), b.Ints("kept"), b.Floats("values"), 1, columns, k, b.Scratch<int>(scratch), b.Scratch<float>(scratch));
    }

    private static void AssignWith(GpuLauncher launcher, GpuBuffers b, GpuKernel<AnchorAssignmentKernels.Arguments> kernel) =>
        AnchorAssignmentKernels.Start(launcher, kernel, b.Shape["members"], new AnchorAssignmentKernels.Arguments
        {
            Members = b.Floats("members"),
            Anchors = b.Floats("anchors"),
            Groups = b.Ints("groups"),
            Cosines = b.Floats("cosines"),
            AnchorCount = b.Shape["anchors"],
            Columns = b.Shape["columns"],
        });

    private static void Merge(GpuLauncher launcher, GpuBuffers b, MergeMode mode, int members) => SegmentMeanKernels.Launch(
        launcher, mode, b.Floats("anchors"), b.Shape["anchors"], b.Floats("members"), members, b.Ints("groups"), b.Shape["columns"], b.Floats("y"));

    private delegate void SpanFill(Span<int> lengths);
}
