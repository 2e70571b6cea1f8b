using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.MatMul;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.MatMul;

/// <summary>Matrix products that are wrong on purpose must be found out by the catalog, at every way of multiplying.</summary>
public sealed class BrokenMatMulTests : IDisposable
{
    private const ulong Seed = 7;

    private static readonly FloatProductKernels<BlockWeights<WrongScale>> s_wrongScale = new("WrongScale");
    private static readonly FloatProductKernels<BlockWeights<GpuQ4_0>> s_right = new("Right");
    private static readonly FloatProductKernels<LostColumn> s_lostColumn = new("LostColumn");
    private static readonly GpuKernel<FloatProduct<FloatWeights<float, GpuF32>>> s_withBarrier = new("WithBarrier", StagedProduct.WithBarrier);
    private static readonly GpuKernel<FloatProduct<FloatWeights<float, GpuF32>>> s_withoutBarrier = new("WithoutBarrier", StagedProduct.WithoutBarrier);

    private static readonly GpuKernel<FloatProduct<HalfWeights<GpuF16>>> s_halves = new("Halves", FloatTensorKernels.Tile);
    private static readonly GpuKernel<FloatProduct<FirstPartOnly>> s_firstPartOnly = new("FirstPartOnly", FloatTensorKernels.Tile);

    private readonly SimulatedDevice _device = new(multiprocessors: 2);
    private readonly GpuLauncher _launcher;

    public BrokenMatMulTests() => _launcher = _device.Launcher;

    /// <summary>One row, a few rows, and enough for tiles.</summary>
    public static TheoryData<int> RowCounts => [1, 3, 11];

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(RowCounts))]
    public void Right_kernel_passes(int rows) => Assert.Null(Check(Format.Q4_0, rows, 5, 64, (b, shape) =>
        s_right.Launch(_launcher, new() { Matrix = b.Matrix("w", Format.Q4_0, shape.Outputs, shape.Columns) }, b.Floats("bias"), b.Floats("x"), b.Floats("y"), shape.Rows, shape.Outputs, shape.Columns)).Failure);

    [Theory]
    [MemberData(nameof(RowCounts))]
    public void Wrong_scale_is_found(int rows) => Assert.Contains("error", Check(Format.Q4_0, rows, 5, 64, (b, shape) =>
        s_wrongScale.Launch(_launcher, new() { Matrix = b.Matrix("w", Format.Q4_0, shape.Outputs, shape.Columns) }, b.Floats("bias"), b.Floats("x"), b.Floats("y"), shape.Rows, shape.Outputs, shape.Columns)).Failure, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(RowCounts))]
    public void Lost_column_of_a_tail_is_found(int rows) => Assert.Contains("error", Check(Format.F32, rows, 5, 37, (b, shape) =>
        s_lostColumn.Launch(_launcher, new() { All = new() { Matrix = b.Matrix("w", Format.F32, shape.Outputs, shape.Columns) } }, b.Floats("bias"), b.Floats("x"), b.Floats("y"), shape.Rows, shape.Outputs, shape.Columns)).Failure, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(RowCounts))]
    public void Lost_output_is_found(int rows) => Assert.NotNull(Check(Format.Q4_0, rows, 5, 64, (b, shape) =>
        s_right.Launch(_launcher, new() { Matrix = b.Matrix("w", Format.Q4_0, shape.Outputs, shape.Columns) }, b.Floats("bias"), b.Floats("x"), b.Floats("y"), shape.Rows, shape.Outputs - 1, shape.Columns)).Failure);

    [Fact]
    public void Missing_barrier_is_found_and_only_that()
    {
        Assert.Null(Staged(s_withBarrier).Failure);
        Assert.NotNull(Staged(s_withoutBarrier).Failure);
    }

    [Fact]
    public void Halves_cut_to_one_BF16_number_are_found_and_whole_ones_pass()
    {
        Assert.Null(Check(Format.F16, 11, 5, 37, (b, shape) => Tiled(s_halves, new() { Elements = Halves(b, shape) }, b, shape)).Failure);
        Assert.Contains("error", Check(Format.F16, 11, 5, 37, (b, shape) => Tiled(s_firstPartOnly, new() { All = Halves(b, shape) }, b, shape)).Failure, StringComparison.Ordinal);
    }

    private static FloatWeights<ushort, GpuF16> Halves(GpuBuffers b, (int Rows, int Outputs, int Columns) shape) => new() { Matrix = b.Matrix("w", Format.F16, shape.Outputs, shape.Columns) };

    /// <summary>Launches a kernel for tiles of tensor cores on a device that has none.</summary>
    private void Tiled<TWeights>(GpuKernel<FloatProduct<TWeights>> kernel, TWeights weights, GpuBuffers b, (int Rows, int Outputs, int Columns) shape)
        where TWeights : struct, IGpuWeights
    {
        int across = GemmKernels.AcrossOf(_launcher.GroupLimit);
        int tileOutputs = across * GemmKernels.PerThread;
        int tileRows = _launcher.GroupLimit / across * GemmKernels.PerThread;
        _launcher.Launch(kernel, new Index3D((shape.Outputs + tileOutputs - 1) / tileOutputs, (shape.Rows + tileRows - 1) / tileRows, 1), _launcher.GroupLimit, new()
        {
            Weights = weights,
            Bias = b.Floats("bias"),
            HasBias = 1,
            X = b.Floats("x"),
            Y = b.Floats("y"),
            Rows = shape.Rows,
            Outputs = shape.Outputs,
            Columns = shape.Columns,
            Across = across,
        });
    }

    private KernelOutcome Staged(GpuKernel<FloatProduct<FloatWeights<float, GpuF32>>> kernel) => Check(Format.F32, 1, 24, 4096, (b, shape) =>
        _launcher.Launch(kernel, new Index3D(shape.Outputs, shape.Rows, 1), _launcher.GroupLimit, new()
        {
            Weights = new() { Matrix = b.Matrix("w", Format.F32, shape.Outputs, shape.Columns) },
            Bias = b.Floats("bias"),
            HasBias = 1,
            X = b.Floats("x"),
            Y = b.Floats("y"),
            Rows = shape.Rows,
            Outputs = shape.Outputs,
            Columns = shape.Columns,
        }));

    private KernelOutcome Check(Format format, int rows, int outputs, int columns, Action<GpuBuffers, (int Rows, int Outputs, int Columns)> launch) => _device.Check(
        $"MatMul.Float.{format.Name}", new KernelShape(("rows", rows), ("outputs", outputs), ("columns", columns)), Seed, (_, buffers) => launch(buffers, (rows, outputs, columns)));
}
