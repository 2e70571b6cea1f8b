using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Gpu.Activation;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Elementwise;
using FastLayers.Kernels.Gpu.Gather;
using FastLayers.Kernels.Gpu.Normalize;
using FastLayers.Kernels.Gpu.Pooling;
using FastLayers.Kernels.Gpu.Rotary;
using FastLayers.Kernels.Gpu.Selection;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Rotary;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Rows;

/// <summary>The comparison with the definitions finds what is easily done wrong in each family of row kernels.</summary>
public sealed class BrokenRowKernelTests
{
    /// <summary>Which thread comes first is chance; without a barrier one of so many runs goes wrong.</summary>
    private const int AttemptsAtChance = 20;

    private static readonly GpuKernel<NormRows.Arguments> s_rmsNormOfTheSum = new("RmsNorm.OfTheSum", BrokenRowKernels.RmsNormOfTheSum);
    private static readonly GpuKernel<NormRows.Arguments> s_rmsNormWithoutBarrier = new("RmsNorm.WithoutBarrier", BrokenRowKernels.RmsNormWithoutBarrier);
    private static readonly GpuKernel<RowMap.Arguments> s_softmaxWithoutBarrier = new("Softmax.WithoutBarrier", BrokenRowKernels.SoftmaxWithoutBarrier);
    private static readonly GpuKernel<ElementMap.Arguments> s_scaledSilu = ElementMap.Kernel<ScaledSilu>("Silu.Scaled");
    private static readonly GpuKernel<ElementMap.Arguments> s_cancellingTanh = ElementMap.Kernel<CancellingTanh>("Softcap.Cancelling");
    private static readonly GpuKernel<ElementMap.Arguments2> s_squaredGate = ElementMap.Kernel2<SquaredGate>("Relu.SquaredGate");
    private static readonly GpuKernel<ElementMap.Arguments2> s_difference = ElementMap.Kernel2<Difference>("Add.Difference");

    private static readonly Dictionary<string, (string Operation, KernelShape Shape, Action<GpuLauncher, GpuBuffers> Run)> s_cases = new()
    {
        ["RMS norm with a wrong scale"] = ("RmsNorm.Weighted", RowShapes.Of(2, 33), (l, b) => Start(l, s_rmsNormOfTheSum, b)),
        ["RMS norm without a barrier"] = ("RmsNorm.Weighted", RowShapes.Of(1, 64), (l, b) => Start(l, s_rmsNormWithoutBarrier, b)),
        ["RMS norm without the last column"] = ("RmsNorm.Weighted", RowShapes.Of(1, 33), (l, b) =>
            RmsNormKernels.Launch(l, b.Floats("x"), b.Floats("weight"), 1e-5f, b.Floats("y"), 1, 32)),
        ["RMS norm that forgets the residual"] = ("RmsNorm.Residual", RowShapes.Of(2, 33), (l, b) =>
            RmsNormKernels.Launch(l, b.Floats("x"), b.Floats("weight"), 1e-5f, b.Floats("y"), 2, 33)),
        ["Layer norm with another epsilon"] = ("LayerNorm.Plain", RowShapes.Of(2, 33), (l, b) =>
            LayerNormKernels.Launch(l, b.Floats("x"), default, default, 1e-3f, b.Floats("y"), 2, 33)),
        ["Layer norm without the bias"] = ("LayerNorm.WeightedAndBiased", RowShapes.Of(2, 33), (l, b) =>
            LayerNormKernels.Launch(l, b.Floats("x"), b.Floats("weight"), default, 1e-5f, b.Floats("y"), 2, 33)),
        ["L2 norm over both rows"] = ("L2Normalize", RowShapes.Of(2, 32), (l, b) =>
            L2NormalizeKernels.Launch(l, b.Floats("x"), 1e-12f, b.Floats("y"), 1, 64)),
        ["Norms without the last column"] = ("AddNorm", RowShapes.Of(1, 33), (l, b) =>
        {
            AddNormKernels.Launch(l, b.Floats("residual"), b.Floats("x"), b.Floats("norms"), 1, 32);
            RowArithmeticKernels.Add(l, b.Floats("residual").SubView(32, 1), b.Floats("x").SubView(32, 1), 1, 1);
        }
        ),
        ["Rotation of the other pairs"] = ("RotaryEmbedding.Halves", RotaryShape, (l, b) => Rotate(l, b, 10, RotaryStyle.Adjacent)),
        ["Rotation without the last pair"] = ("RotaryEmbedding.Adjacent", RotaryShape, (l, b) => Rotate(l, b, 8, RotaryStyle.Adjacent)),
        ["SiLU with a wrong scale"] = ("Activations.Silu", RowShapes.Of(3, 31), (l, b) => ElementMap.Launch(l, s_scaledSilu, b.Floats("x"), b.Floats("y"), 3, 31)),
        ["SiLU without the tail"] = ("Activations.Silu", RowShapes.Of(3, 31), (l, b) =>
            ActivationKernels.Launch(l, ActivationKind.Silu, b.Floats("x"), b.Floats("y"), 1, 92)),
        ["GELU of the other kind"] = ("Activations.GeluErf", RowShapes.Of(3, 31), (l, b) =>
            ActivationKernels.Launch(l, ActivationKind.GeluTanh, b.Floats("x"), b.Floats("y"), 3, 31)),
        ["Gate times itself"] = ("Activations.GatedRelu", RowShapes.Of(3, 31), (l, b) =>
            ElementMap.Launch(l, s_squaredGate, b.Floats("gate"), b.Floats("up"), b.Floats("y"), 3, 31)),
        ["Coarse softcap"] = ("Softcap", RowShapes.Of(3, 31), (l, b) => ElementMap.Launch(l, s_cancellingTanh, b.Floats("x"), b.Floats("y"), 3, 31, 30)),
        ["Softmax without a barrier"] = ("Softmax", RowShapes.Of(1, 64), (l, b) => l.Launch(s_softmaxWithoutBarrier, new Index3D(1, 1, 1), l.GroupSize(4), new RowMap.Arguments
        {
            X = b.Floats("x"),
            Y = b.Floats("y"),
            Parameter = 0.125f,
            Columns = 64,
        })),
        ["Softmax without the scale"] = ("Softmax", RowShapes.Of(2, 33), (l, b) => SoftmaxKernels.Launch(l, b.Floats("x"), 1, b.Floats("y"), 2, 33)),
        ["Subtraction"] = ("RowArithmetic.Add", RowShapes.Of(2, 33), (l, b) => ElementMap.Launch(l, s_difference, b.Floats("x"), b.Floats("y"), b.Floats("y"), 2, 33)),
        ["Bias without the last column"] = ("RowArithmetic.AddBias", RowShapes.Of(1, 33), (l, b) => RowArithmeticKernels.AddBias(l, b.Floats("bias"), b.Floats("y"), 1, 32)),
        ["Maximum of half the row"] = ("ArgMax", RowShapes.Of(1, 1000), (l, b) => ArgMaxKernels.Launch(l, b.Floats("x").SubView(500, 500), b.Ints("y"), 1, 500, default, default)),
        ["One value too few"] = ("TopK", new(("rows", 1), ("columns", 100), ("k", 5)), (l, b) => TopKKernels.Launch(
            l, b.Floats("x"), b.Ints("indices"), b.Floats("values"), 1, 100, 4, b.Scratch<int>(4), b.Scratch<float>(4))),
        ["Weights of the other kind"] = ("ExpertRouting.Shares", new(("rows", 2), ("experts", 8), ("k", 2)), (l, b) => ExpertRoutingKernels.Launch(
            l, b.Floats("logits"), true, b.Ints("chosen"), b.Floats("weights"), 2, 8, 2)),
        ["Mean without the last row"] = ("RowPooling.Mean", RowShapes.Of(65, 33), (l, b) => RowPoolingKernels.Launch(l, PoolingKind.Mean, b.Floats("x"), b.Floats("y"), 64, 33)),
        ["Maximum without the last row"] = ("RowPooling.Max", RowShapes.Of(5, 65), (l, b) => RowPoolingKernels.Launch(l, PoolingKind.Max, b.Floats("x"), b.Floats("y"), 4, 65)),
        ["Gathering without the last row"] = ("RowMoves.Gather", MovesShape, (l, b) =>
            RowMovesKernels.Gather(l, b.Floats("input"), 3, b.Ints("indices"), 4, 31, b.Floats("output"))),
        ["Scattering without weights"] = ("RowMoves.ScatterAdd", MovesShape, (l, b) =>
            RowMovesKernels.ScatterAdd(l, b.Floats("source"), default, b.Ints("indices"), 5, 31, b.Floats("target"), 3)),
        ["Compaction without the last row"] = ("RowMoves.Compact", new(("rows", 9), ("kept", 7), ("columns", 64)), (l, b) =>
            RowMovesKernels.Compact(l, b.Floats("rows"), 9, b.Ints("kept"), 6, 64)),
        ["Flags without the last"] = ("RowMoves.FindKept", new(("rows", 64)), (l, b) => RowMovesKernels.FindKept(l, b.Ints("keep"), 63, b.Ints("indices"), b.Ints("count"))),
    };

    public static IEnumerable<TheoryDataRow<string>> Names => s_cases.Keys.Select(name => new TheoryDataRow<string>(name));

    private static KernelShape RotaryShape => new(("tokens", 3), ("heads", 2), ("headLength", 10), ("rotated", 10));

    private static KernelShape MovesShape => new(("rows", 3), ("indices", 5), ("columns", 31));

    [Theory]
    [MemberData(nameof(Names))]
    public void Broken_kernel_fails_where_the_right_one_passes(string name)
    {
        using var device = new SimulatedDevice();
        var (operationName, shape, run) = s_cases[name];
        var operation = KernelCatalog.Find(operationName);
        Assert.Null(KernelCheck.Run(new GpuKernelRunner(device.Launcher, "emulated"), operation, shape, 1).Failure);

        var broken = new GpuKernelRunner(device.Launcher, "emulated", [new GpuOperation(operationName, run)]);
        int attempts = name.Contains("barrier", StringComparison.Ordinal) ? AttemptsAtChance : 1;
        Assert.Contains(Enumerable.Range(1, attempts), seed => KernelCheck.Run(broken, operation, shape, (ulong)seed).Failure is not null);
    }

    private static void Start(GpuLauncher launcher, GpuKernel<NormRows.Arguments> kernel, GpuBuffers b) =>
        launcher.Launch(kernel, new Index3D(b.Shape["rows"], 1, 1), launcher.GroupSize(4), new NormRows.Arguments
        {
            Residual = b.Floats("x"),
            X = b.Floats("x"),
            Weight = b.Floats("weight"),
            Y = b.Floats("y"),
            Epsilon = 1e-5f,
            Columns = b.Shape["columns"],
            HasWeight = 1,
        });

    private static void Rotate(GpuLauncher launcher, GpuBuffers b, int rotated, RotaryStyle style) => RotaryKernels.Launch(
        launcher, b.Floats("heads"), 3, 2, 10, default, b.Floats("cosine"), b.Floats("sine"), 3, rotated, style);
}
