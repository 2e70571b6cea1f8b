using ILGPU;

namespace FastLayers.Kernels.Gpu.Normalize;

/// <summary>Launches of kernels that normalize rows, one group a row, with what may come before and after: a residual, a weight and a bias.</summary>
internal static class NormRows
{
    private const int PreferredGroupSize = 256;

    /// <summary>Adds to rows, then normalizes them.</summary>
    /// <exception cref="ArgumentException">A view is too short, or there is a bias but no weight.</exception>
    public static void LaunchResidual(
        GpuLauncher launcher, GpuKernel<Arguments> kernel, ArrayView<float> residual, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, float epsilon,
        ArrayView<float> y, int rows, int columns)
    {
        LaunchArguments.Require(kernel.Name, nameof(residual), residual, (long)rows * columns);
        Launch(launcher, kernel, residual, x, weight, bias, epsilon, y, rows, columns);
    }

    /// <summary>Normalizes rows; an empty residual, weight or bias is none.</summary>
    /// <exception cref="ArgumentException">A view is too short, or there is a bias but no weight.</exception>
    public static void Launch(
        GpuLauncher launcher, GpuKernel<Arguments> kernel, ArrayView<float> residual, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, float epsilon,
        ArrayView<float> y, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(kernel.Name, rows, columns);
        LaunchArguments.Require(kernel.Name, nameof(x), x, (long)rows * columns);
        LaunchArguments.RequireOrEmpty(kernel.Name, nameof(weight), weight, columns);
        LaunchArguments.RequireOrEmpty(kernel.Name, nameof(bias), bias, columns);
        LaunchArguments.Require(kernel.Name, nameof(y), y, (long)rows * columns);
        if (bias.Length > 0 && weight.Length == 0) throw new ArgumentException($"{kernel.Name}: a bias of {bias.Length} needs a weight, found none.", nameof(weight));
        if (columns == 0) return;
        launcher.Launch(kernel, new Index3D(rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments
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

    /// <summary>Arguments of the kernels; views that are left out are some other view and not read.</summary>
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
