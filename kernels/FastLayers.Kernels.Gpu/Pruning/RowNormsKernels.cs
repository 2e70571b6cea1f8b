using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Normalize;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pruning;

/// <summary>
/// Norms and relative changes of rows, one group a row: see <see cref="RowNorms"/>. The squares are summed with compensation, so that the error
/// does not grow with the row or shrink with the group.
/// </summary>
internal static class RowNormsKernels
{
    private const int PreferredGroupSize = 256;

    public static GpuKernel<Arguments> NormKernel { get; } = new("RowNorms", Norm);

    public static GpuKernel<Arguments> ChangeKernel { get; } = new("RowNorms.RelativeChange", RelativeChange);

    public static IReadOnlyList<GpuKernel> All { get; } = [NormKernel, ChangeKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new(NormKernel.Name, (launcher, b) => Launch(launcher, b.Floats("x"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
        new(ChangeKernel.Name, (launcher, b) => LaunchRelativeChange(launcher, b.Floats("x"), b.Floats("after"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>Norms of rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows.</param>
    /// <param name="norms">Receives one norm a row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, ArrayView<float> x, ArrayView<float> norms, int rows, int columns) =>
        Launch(launcher, NormKernel, x, x, norms, rows, columns);

    /// <summary>Relative changes of rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows before.</param>
    /// <param name="after">The rows after.</param>
    /// <param name="changes">Receives one change a row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void LaunchRelativeChange(GpuLauncher launcher, ArrayView<float> x, ArrayView<float> after, ArrayView<float> changes, int rows, int columns) =>
        Launch(launcher, ChangeKernel, x, after, changes, rows, columns);

    internal static void Norm(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        float squares = Squares(shared, Row(a.X, a.Columns), a.Columns);
        if (Group.IdxX == 0) a.Y[Grid.IdxX] = MathF.Sqrt(squares);
    }

    internal static void RelativeChange(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var x = Row(a.X, a.Columns);
        var after = Row(a.After, a.Columns);
        float squares = Squares(shared, x, a.Columns);
        float sum = 0, excess = 0, plain = 0;
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
        {
            float change = after[i] - x[i];
            float square = change * change;
            float summand = square - excess;
            float next = sum + summand;
            excess = (next - sum) - summand;
            sum = next;
            plain += square;
        }

        sum = GroupReduce.Sum(shared, sum);

        // The compensation turns an infinite sum into NaN.
        if (float.IsNaN(sum)) sum = GroupReduce.Sum(shared, plain);
        if (Group.IdxX != 0) return;
        a.Y[Grid.IdxX] = sum == 0 && !float.IsNaN(squares) ? 0 : MathF.Sqrt(sum) / MathF.Sqrt(squares);
    }

    private static float Squares(ArrayView<float> shared, ArrayView<float> row, int columns)
    {
        float sum = 0, excess = 0;
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float summand = (row[i] * row[i]) - excess;
            float next = sum + summand;
            excess = (next - sum) - summand;
            sum = next;
        }

        sum = GroupReduce.Sum(shared, sum);
        if (float.IsNaN(sum)) sum = GroupReduce.Sum(shared, RowSums.Squares(row, columns, 0));
        return sum;
    }

    private static ArrayView<float> Row(ArrayView<float> rows, int columns) => rows.SubView((long)Grid.IdxX * columns, columns);

    private static void Launch(
        GpuLauncher launcher, GpuKernel<Arguments> kernel, ArrayView<float> x, ArrayView<float> after, ArrayView<float> y, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(kernel.Name, rows, columns);
        LaunchArguments.Require(kernel.Name, nameof(x), x, (long)rows * columns);
        LaunchArguments.Require(kernel.Name, nameof(after), after, (long)rows * columns);
        LaunchArguments.Require(kernel.Name, nameof(y), y, rows);
        launcher.Launch(kernel, new Index3D(rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments { X = x, After = after, Y = y, Columns = columns });
    }

    internal struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<float> After;
        public ArrayView<float> Y;
        public int Columns;
    }
}
