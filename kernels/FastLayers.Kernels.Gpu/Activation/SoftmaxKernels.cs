using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Gpu.Catalog;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Activation;

/// <summary>Softmax of rows, one group a row, in three passes as on the CPU: see <see cref="Softmax"/>.</summary>
internal static class SoftmaxKernels
{
    /// <summary>A partial sum is closed after so many values, so that rounding stays small for vocabularies in small groups.</summary>
    private const int ValuesPerPartialSum = 64;

    public static GpuKernel<RowMap.Arguments> Kernel { get; } = new("Softmax", Rows);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("Softmax", (launcher, b) => Launch(launcher, b.Floats("x"), SoftmaxCase.Scale, b.Floats("y"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>The shares of every row; in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows.</param>
    /// <param name="scale">Factor of the exponents; may be negative.</param>
    /// <param name="y">Receives the shares.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, ArrayView<float> x, float scale, ArrayView<float> y, int rows, int columns) =>
        RowMap.Launch(launcher, Kernel, x, scale, y, rows, columns);

    internal static void Rows(RowMap.Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        long offset = (long)Grid.IdxX * a.Columns;
        var x = a.X.SubView(offset, a.Columns);
        var y = a.Y.SubView(offset, a.Columns);

        // NaN is passed over here; its exponential makes the sum NaN.
        float max = float.NegativeInfinity;
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
        {
            float value = x[i] * a.Parameter;
            if (value > max) max = value;
        }

        max = GroupReduce.Max(shared, max);
        float sum = 0;
        int stride = ValuesPerPartialSum * Group.DimX;
        for (int start = Group.IdxX; start < a.Columns; start += stride)
        {
            float partial = 0;
            int end = Math.Min(a.Columns, start + stride);
            for (int i = start; i < end; i += Group.DimX)
            {
                float power = MathF.Exp((x[i] * a.Parameter) - max);
                y[i] = power;
                partial += power;
            }

            sum += partial;
        }

        float factor = 1 / GroupReduce.Sum(shared, sum);
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) y[i] *= factor;
    }
}
