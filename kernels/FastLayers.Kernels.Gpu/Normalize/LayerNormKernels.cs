using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Normalize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>Layer normalization of rows, one group a row, the variance summed around the mean: see <see cref="LayerNorm"/>.</summary>
internal static class LayerNormKernels
{
    public static GpuKernel<NormRows.Arguments> Kernel { get; } = new("LayerNorm", Rows);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        Operation("LayerNorm.WeightedAndBiased"),
        Operation("LayerNorm.Weighted"),
        Operation("LayerNorm.Plain"),
        new("LayerNorm.Residual", (launcher, b) => LaunchResidual(
            launcher, b.Floats("residual"), b.Floats("x"), b.Floats("weight"), b.Floats("bias"), LayerNormCase.Epsilon, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>Normalizes rows; in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="bias">One summand a column; empty means 0.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">Receives the rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short, or there is a bias but no weight.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, float epsilon, ArrayView<float> y, int rows, int columns) =>
        NormRows.Launch(launcher, Kernel, default, x, weight, bias, epsilon, y, rows, columns);

    /// <summary>Adds to rows, then normalizes them.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="residual">The rows that are added.</param>
    /// <param name="x">The rows that are added to.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="bias">One summand a column; empty means 0.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">Receives the normalized rows; not <paramref name="x"/>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short, or there is a bias but no weight.</exception>
    public static void LaunchResidual(
        GpuLauncher launcher, ArrayView<float> residual, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, float epsilon, ArrayView<float> y,
        int rows, int columns) =>
        NormRows.LaunchResidual(launcher, Kernel, residual, x, weight, bias, epsilon, y, rows, columns);

    internal static void Rows(NormRows.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        var x = a.X.SubView(start, a.Columns);
        var y = a.Y.SubView(start, a.Columns);

        // Every thread reads only what it wrote itself, so no barrier is needed in between.
        if (a.HasResidual != 0) RowSums.Add(x, a.Residual.SubView(start, a.Columns), a.Columns);
        float mean = GroupReduce.Sum(shared, RowSums.Values(x, a.Columns)) / a.Columns;
        float variance = GroupReduce.Sum(shared, RowSums.Squares(x, a.Columns, mean)) / a.Columns;
        float factor = 1 / MathF.Sqrt(variance + a.Epsilon);
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
        {
            float value = (x[i] - mean) * factor;
            if (a.HasWeight != 0) value *= a.Weight[i];
            if (a.HasBias != 0) value += a.Bias[i];
            y[i] = value;
        }
    }

    private static GpuOperation Operation(string name) => new(name, (launcher, b) => Launch(
        launcher, b.Floats("x"), b.Floats("weight"), b.Floats("bias"), LayerNormCase.Epsilon, b.Floats("y"), b.Shape["rows"], b.Shape["columns"]));
}
