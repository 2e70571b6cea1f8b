using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Normalize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>Layer normalization of rows, one group a row, the variance summed around the mean: see <see cref="LayerNorm"/>.</summary>
internal static class LayerNormKernels
{
    private const int PreferredGroupSize = 256;

    public static GpuKernel<Arguments> Kernel { get; } = new("LayerNorm", Rows);

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
        Start(launcher, default, x, weight, bias, epsilon, y, rows, columns);

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
        int rows, int columns)
    {
        LaunchArguments.Require(Kernel.Name, nameof(residual), residual, (long)rows * columns);
        Start(launcher, residual, x, weight, bias, epsilon, y, rows, columns);
    }

    internal static void Rows(Arguments a)
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

    private static void Start(
        GpuLauncher launcher, ArrayView<float> residual, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, float epsilon, ArrayView<float> y,
        int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(Kernel.Name, rows, columns);
        LaunchArguments.Require(Kernel.Name, nameof(x), x, (long)rows * columns);
        LaunchArguments.RequireOrEmpty(Kernel.Name, nameof(weight), weight, columns);
        LaunchArguments.RequireOrEmpty(Kernel.Name, nameof(bias), bias, columns);
        LaunchArguments.Require(Kernel.Name, nameof(y), y, (long)rows * columns);
        if (bias.Length > 0 && weight.Length == 0) throw new ArgumentException($"{Kernel.Name}: a bias of {bias.Length} needs a weight, found none.", nameof(weight));
        if (columns == 0) return;
        launcher.Launch(Kernel, new Index3D(rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments
        {
            Residual = residual.Length > 0 ? residual : x,
            HasResidual = residual.Length > 0 ? 1 : 0,
            X = x,
            Weight = weight.Length > 0 ? weight : x,
            HasWeight = weight.Length > 0 ? 1 : 0,
            Bias = bias.Length > 0 ? bias : x,
            HasBias = bias.Length > 0 ? 1 : 0,
            Y = y,
            Epsilon = epsilon,
            Columns = columns,
        });
    }

    internal struct Arguments
    {
        public ArrayView<float> Residual;
        public ArrayView<float> X;
        public ArrayView<float> Weight;
        public ArrayView<float> Bias;
        public ArrayView<float> Y;
        public float Epsilon;
        public int Columns;
        public int HasResidual;
        public int HasWeight;
        public int HasBias;
    }
}
