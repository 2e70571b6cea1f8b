using ILGPU;

namespace FastLayers.Kernels.Gpu;

/// <summary>Launches of kernels that make a row of each row, one group a row, with one number to say how.</summary>
internal static class RowMap
{
    private const int PreferredGroupSize = 256;

    /// <summary>Starts a kernel; in place if <paramref name="y"/> is <paramref name="x"/>.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(GpuLauncher launcher, GpuKernel<Arguments> kernel, ArrayView<float> x, float parameter, ArrayView<float> y, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(kernel.Name, rows, columns);
        LaunchArguments.Require(kernel.Name, nameof(x), x, (long)rows * columns);
        LaunchArguments.Require(kernel.Name, nameof(y), y, (long)rows * columns);
        if (columns == 0) return;
        launcher.Launch(kernel, new Index3D(rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments { X = x, Y = y, Parameter = parameter, Columns = columns });
    }

    internal struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<float> Y;
        public float Parameter;
        public int Columns;
    }
}
