using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Normalize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>
/// Residual addition that yields the Euclidean norm of each row, one group a row, without a second pass: see <see cref="AddNorm"/>. The squares
/// are summed with compensation, so that the error does not grow with the row or shrink with the group.
/// </summary>
internal static class AddNormKernels
{
    private const int PreferredGroupSize = 256;

    public static GpuKernel<Arguments> Kernel { get; } = new("AddNorm", Rows);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("AddNorm", (launcher, b) => Launch(launcher, b.Floats("residual"), b.Floats("x"), b.Floats("norms"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>Adds to rows and takes their norms.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="residual">The rows that are added.</param>
    /// <param name="x">The rows that are added to.</param>
    /// <param name="norms">Receives one norm a row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, ArrayView<float> residual, ArrayView<float> x, ArrayView<float> norms, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(Kernel.Name, rows, columns);
        LaunchArguments.Require(Kernel.Name, nameof(residual), residual, (long)rows * columns);
        LaunchArguments.Require(Kernel.Name, nameof(x), x, (long)rows * columns);
        LaunchArguments.Require(Kernel.Name, nameof(norms), norms, rows);
        launcher.Launch(Kernel, new Index3D(rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments { Residual = residual, X = x, Norms = norms, Columns = columns });
    }

    internal static void Rows(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long start = (long)Grid.IdxX * a.Columns;
        var x = a.X.SubView(start, a.Columns);
        var residual = a.Residual.SubView(start, a.Columns);
        float sum = 0, excess = 0;
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
        {
            float value = x[i] + residual[i];
            x[i] = value;
            float square = value * value;
            float summand = square - excess;
            float next = sum + summand;
            excess = (next - sum) - summand;
            sum = next;
        }

        sum = GroupReduce.Sum(shared, sum);

        // The compensation turns an infinite sum into NaN.
        if (float.IsNaN(sum)) sum = GroupReduce.Sum(shared, RowSums.Squares(x, a.Columns, 0));
        if (Group.IdxX == 0) a.Norms[Grid.IdxX] = MathF.Sqrt(sum);
    }

    internal struct Arguments
    {
        public ArrayView<float> Residual;
        public ArrayView<float> X;
        public ArrayView<float> Norms;
        public int Columns;
    }
}
