using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Normalize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>Root mean square normalization of rows, one group a row: see <see cref="RmsNorm"/>.</summary>
internal static class RmsNormKernels
{
    public static GpuKernel<NormRows.Arguments> Kernel { get; } = new("RmsNorm", Rows);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("RmsNorm.Weighted", (launcher, b) => Launch(launcher, b.Floats("x"), b.Floats("weight"), RmsNormCase.Epsilon, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
        new("RmsNorm.Plain", (launcher, b) => Launch(launcher, b.Floats("x"), default, RmsNormCase.Epsilon, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
        new("RmsNorm.Residual", (launcher, b) => LaunchResidual(
            launcher, b.Floats("residual"), b.Floats("x"), b.Floats("weight"), RmsNormCase.Epsilon, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>Normalizes rows; in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="y">Receives the rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, ArrayView<float> x, ArrayView<float> weight, float epsilon, ArrayView<float> y, int rows, int columns) =>
        NormRows.Launch(launcher, Kernel, default, x, weight, default, epsilon, y, rows, columns);

    /// <summary>Adds to rows, then normalizes them.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="residual">The rows that are added.</param>
    /// <param name="x">The rows that are added to.</param>
    /// <param name="weight">One factor a column; empty means 1.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="y">Receives the normalized rows; not <paramref name="x"/>.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void LaunchResidual(
        GpuLauncher launcher, ArrayView<float> residual, ArrayView<float> x, ArrayView<float> weight, float epsilon, ArrayView<float> y, int rows, int columns) =>
        NormRows.LaunchResidual(launcher, Kernel, residual, x, weight, default, epsilon, y, rows, columns);

    internal static void Rows(NormRows.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        var x = a.X.SubView(start, a.Columns);
        var y = a.Y.SubView(start, a.Columns);

        // Every thread reads only what it wrote itself, so no barrier is needed in between.
        if (a.HasResidual != 0) RowSums.Add(x, a.Residual.SubView(start, a.Columns), a.Columns);
        float squares = GroupReduce.Sum(shared, RowSums.Squares(x, a.Columns, 0));
        float factor = 1 / MathF.Sqrt((squares / a.Columns) + a.Epsilon);
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
        {
            float value = x[i] * factor;
            y[i] = a.HasWeight != 0 ? value * a.Weight[i] : value;
        }
    }
}
