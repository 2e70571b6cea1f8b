using System.Numerics;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Pooling;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pooling;

/// <summary>
/// Pools the rows of a sequence to one row: see <see cref="RowPooling"/>. A group takes a tile of columns; its threads lie in two dimensions,
/// so that several take every n-th row of the same column. The first and the last row are copied without a kernel.
/// </summary>
internal static class RowPoolingKernels
{
    private const int PreferredGroupSize = 256;

    /// <summary>A partial sum is closed after so many rows, so that rounding stays small for long sequences.</summary>
    private const int RowsPerPartialSum = 64;

    public static GpuKernel<Arguments> MeanKernel { get; } = new("RowPooling.Mean", Mean);

    public static GpuKernel<Arguments> MaxKernel { get; } = new("RowPooling.Max", Max);

    public static IReadOnlyList<GpuKernel> All { get; } = [MeanKernel, MaxKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        .. Enum.GetValues<PoolingKind>().Select(kind => new GpuOperation($"RowPooling.{kind}", (launcher, b) => Launch(
            launcher, kind, b.Floats("x"), b.Floats("y"), b.Shape["rows"], b.Shape["columns"]))),
    ];

    /// <summary>Pools all rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="kind">How.</param>
    /// <param name="x">The rows; at least one.</param>
    /// <param name="y">Receives one value a column.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short, or there is no row.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The pooling is not defined.</exception>
    public static void Launch(GpuLauncher launcher, PoolingKind kind, ArrayView<float> x, ArrayView<float> y, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        string name = $"RowPooling.{kind}";
        LaunchArguments.RequireSizes(name, rows, columns);
        if (rows == 0) throw new ArgumentException($"{name}: expected one or more rows, found 0.", nameof(rows));
        LaunchArguments.Require(name, nameof(x), x, (long)rows * columns);
        LaunchArguments.Require(name, nameof(y), y, columns);
        if (columns == 0) return;
        switch (kind)
        {
            case PoolingKind.First: Copy(launcher, x, 0, y, columns); break;
            case PoolingKind.Last: Copy(launcher, x, (long)(rows - 1) * columns, y, columns); break;
            case PoolingKind.Mean: Start(launcher, MeanKernel, x, y, rows, columns); break;
            case PoolingKind.Max: Start(launcher, MaxKernel, x, y, rows, columns); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined pooling.");
        }
    }

    internal static void Mean(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int rowStep = Group.DimX / a.TileColumns;
        int lane = Group.IdxX / a.TileColumns;
        int stride = RowsPerPartialSum * rowStep;
        for (int tile = Grid.IdxX * a.TileColumns; tile < a.Columns; tile += Grid.DimX * a.TileColumns)
        {
            int column = tile + Group.IdxX - (lane * a.TileColumns);
            float sum = 0;
            if (column < a.Columns)
            {
                for (int start = lane; start < a.Rows; start += stride)
                {
                    float partial = 0;
                    int end = Math.Min(a.Rows, start + stride);
                    for (int row = start; row < end; row += rowStep) partial += a.X[((long)row * a.Columns) + column];
                    sum += partial;
                }
            }

            shared[Group.IdxX] = sum;
            Group.Barrier();
            for (int half = Group.DimX >> 1; half >= a.TileColumns; half >>= 1)
            {
                if (Group.IdxX < half) shared[Group.IdxX] += shared[Group.IdxX + half];
                Group.Barrier();
            }

            // The thread that reads the place here is the one that writes it for the next tile.
            if (lane == 0 && column < a.Columns) a.Y[column] = shared[Group.IdxX] / a.Rows;
        }
    }

    internal static void Max(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int rowStep = Group.DimX / a.TileColumns;
        int lane = Group.IdxX / a.TileColumns;
        for (int tile = Grid.IdxX * a.TileColumns; tile < a.Columns; tile += Grid.DimX * a.TileColumns)
        {
            int column = tile + Group.IdxX - (lane * a.TileColumns);
            float max = float.NegativeInfinity;
            if (column < a.Columns)
            {
                for (int row = lane; row < a.Rows; row += rowStep) max = LargerOrNaN(max, a.X[((long)row * a.Columns) + column]);
            }

            shared[Group.IdxX] = max;
            Group.Barrier();
            for (int half = Group.DimX >> 1; half >= a.TileColumns; half >>= 1)
            {
                if (Group.IdxX < half) shared[Group.IdxX] = LargerOrNaN(shared[Group.IdxX], shared[Group.IdxX + half]);
                Group.Barrier();
            }

            // The thread that reads the place here is the one that writes it for the next tile.
            if (lane == 0 && column < a.Columns) a.Y[column] = shared[Group.IdxX];
        }
    }

    private static float LargerOrNaN(float max, float value) => value > max || float.IsNaN(value) ? value : max;

    private static void Start(GpuLauncher launcher, GpuKernel<Arguments> kernel, ArrayView<float> x, ArrayView<float> y, int rows, int columns)
    {
        // Of the bits that number a thread, five of eight choose the column and the others the row: 32 columns, a line of memory, times 8 rows.
        int size = launcher.GroupSize(PreferredGroupSize);
        int tile = 1 << (BitOperations.Log2((uint)size) * 5 / 8);
        launcher.Launch(kernel, new Index3D(GridSize.ForThreads(launcher, columns, tile), 1, 1), size, new Arguments
        {
            X = x,
            Y = y,
            Rows = rows,
            Columns = columns,
            TileColumns = tile,
        });
    }

    private static void Copy(GpuLauncher launcher, ArrayView<float> x, long offset, ArrayView<float> y, int columns) =>
        launcher.Copy(x.SubView(offset, columns).Cast<byte>(), y.SubView(0, columns).Cast<byte>());

    internal struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<float> Y;
        public int Rows;
        public int Columns;
        public int TileColumns;
    }
}
