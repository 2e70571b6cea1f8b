using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Normalize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>Euclidean normalization of rows, one group a row: see <see cref="L2Normalize"/>.</summary>
internal static class L2NormalizeKernels
{
    public static GpuKernel<RowMap.Arguments> Kernel { get; } = new("L2Normalize", Rows);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("L2Normalize", (launcher, b) => Launch(launcher, b.Floats("x"), L2NormalizeCase.Epsilon, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>Normalizes rows; in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows.</param>
    /// <param name="epsilon">The least length to divide by, positive.</param>
    /// <param name="y">Receives the rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, ArrayView<float> x, float epsilon, ArrayView<float> y, int rows, int columns) =>
        RowMap.Launch(launcher, Kernel, x, epsilon, y, rows, columns);

    internal static void Rows(RowMap.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        var x = a.X.SubView(start, a.Columns);
        var y = a.Y.SubView(start, a.Columns);
        float norm = MathF.Sqrt(GroupReduce.Sum(shared, RowSums.Squares(x, a.Columns, 0)));
        float factor = 1 / (norm < a.Parameter ? a.Parameter : norm);
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) y[i] = x[i] * factor;
    }
}
