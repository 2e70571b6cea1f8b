using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Gpu.Catalog;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Elementwise;

/// <summary>Additions and scalings of rows, in place: see <see cref="RowArithmetic"/>.</summary>
internal static class RowArithmeticKernels
{
    private const int PreferredGroupSize = 256;

    /// <summary>The second dimension of a grid ends there; groups stride over further rows.</summary>
    private const int MaxRowGroups = 32_768;

    public static GpuKernel<ElementMap.Arguments2> AddKernel { get; } = ElementMap.Kernel2<SumOf>("RowArithmetic.Add");

    public static GpuKernel<ElementMap.Arguments2> AddScaledKernel { get; } = ElementMap.Kernel2<ScaledSumOf>("RowArithmetic.AddScaled");

    public static GpuKernel<ElementMap.Arguments> ScaleKernel { get; } = ElementMap.Kernel<ProductOf>("RowArithmetic.Scale");

    public static GpuKernel<BiasArguments> AddBiasKernel { get; } = new("RowArithmetic.AddBias", BiasRows);

    public static IReadOnlyList<GpuKernel> All { get; } = [AddKernel, AddScaledKernel, ScaleKernel, AddBiasKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("RowArithmetic.Add", (launcher, b) => Add(launcher, b.Floats("x"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
        new("RowArithmetic.AddScaled", (launcher, b) => AddScaled(launcher, RowArithmeticCase.Factor, b.Floats("x"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
        new("RowArithmetic.Scale", (launcher, b) => Scale(launcher, RowArithmeticCase.Factor, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
        new("RowArithmetic.AddBias", (launcher, b) => AddBias(launcher, b.Floats("bias"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>y[i] += x[i].</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Add(GpuLauncher launcher, ArrayView<float> x, ArrayView<float> y, int rows, int columns) =>
        ElementMap.Launch(launcher, AddKernel, x, y, y, rows, columns);

    /// <summary>y[i] += factor · x[i].</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void AddScaled(GpuLauncher launcher, float factor, ArrayView<float> x, ArrayView<float> y, int rows, int columns) =>
        ElementMap.Launch(launcher, AddScaledKernel, x, y, y, rows, columns, factor);

    /// <summary>y[i] *= factor.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Scale(GpuLauncher launcher, float factor, ArrayView<float> y, int rows, int columns) =>
        ElementMap.Launch(launcher, ScaleKernel, y, y, rows, columns, factor);

    /// <summary>y[r, i] += bias[i].</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void AddBias(GpuLauncher launcher, ArrayView<float> bias, ArrayView<float> y, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(AddBiasKernel.Name, rows, columns);
        LaunchArguments.Require(AddBiasKernel.Name, nameof(bias), bias, columns);
        LaunchArguments.Require(AddBiasKernel.Name, nameof(y), y, (long)rows * columns);
        int size = launcher.GroupSize(PreferredGroupSize);
        int columnGroups = GridSize.ForThreads(launcher, columns, size);
        if (columnGroups == 0) return;
        int rowGroups = Math.Min(rows, Math.Min(MaxRowGroups, Math.Max(1, GridSize.Full(launcher) / columnGroups)));
        launcher.Launch(AddBiasKernel, new Index3D(columnGroups, rowGroups, 1), size, new BiasArguments { Bias = bias, Y = y, Rows = rows, Columns = columns });
    }

    internal static void BiasRows(BiasArguments a)
    {
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int threads = Grid.DimX * Group.DimX;
        for (int row = Grid.IdxY; row < a.Rows; row += Grid.DimY)
        {
            var y = a.Y.SubView((long)row * a.Columns, a.Columns);
            for (int i = thread; i < a.Columns; i += threads) y[i] += a.Bias[i];
        }
    }

    internal struct BiasArguments
    {
        public ArrayView<float> Bias;
        public ArrayView<float> Y;
        public int Rows;
        public int Columns;
    }

    private readonly struct SumOf : IElementFunction2
    {
        public float Invoke(float x, float y, float parameter) => y + x;
    }

    private readonly struct ScaledSumOf : IElementFunction2
    {
        public float Invoke(float x, float y, float parameter) => y + (x * parameter);
    }

    private readonly struct ProductOf : IElementFunction
    {
        public float Invoke(float x, float parameter) => x * parameter;
    }
}
