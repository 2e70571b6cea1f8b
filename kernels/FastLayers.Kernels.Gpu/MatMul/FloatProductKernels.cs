using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>The kernels for float activations and one kind of weights, and the choice among them.</summary>
/// <param name="name">What the names of the kernels begin with.</param>
/// <param name="tensor">The kernel for tensor cores, if there is one for these weights.</param>
internal sealed class FloatProductKernels<TWeights>(string name, GpuKernel<FloatProduct<TWeights>>? tensor = null)
    where TWeights : struct, IGpuWeights
{
    public GpuKernel<FloatProduct<TWeights>> Row { get; } = new($"{name}.GemvRow", GemvKernels.Row, "ld.global.v4.f32");

    public GpuKernel<FloatProduct<TWeights>> Rows { get; } = new($"{name}.GemvRows", GemvKernels.Rows, "ld.global.v4.f32");

    public GpuKernel<FloatProduct<TWeights>> Tile { get; } = new($"{name}.Gemm", GemmKernels.Tile, "ld.global.v4.f32", "ld.shared.v4.f32");

    public IReadOnlyList<GpuKernel> All => tensor is null ? [Row, Rows, Tile] : [Row, Rows, Tile, tensor];

    public void Launch(GpuLauncher launcher, TWeights weights, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows, int outputs, int columns)
    {
        int tileSize = launcher.GroupSize(GemmKernels.GroupSize);
        int across = GemmKernels.AcrossOf(tileSize);
        var product = new FloatProduct<TWeights>
        {
            Weights = weights,
            Bias = bias.Length > 0 ? bias : x,
            X = x,
            Y = y,
            Rows = rows,
            Outputs = outputs,
            Columns = columns,
            HasBias = bias.Length > 0 ? 1 : 0,
            Across = across,
        };
        int gemvSize = launcher.GroupSize(GemvKernels.GroupSize);
        if (rows == 1)
            launcher.Launch(Row, new Index3D(Groups(outputs, GemvKernels.OutputsOfRow), 1, 1), gemvSize, product);
        else if (rows <= GemmKernels.GemvRowLimit)
            launcher.Launch(Rows, new Index3D(Groups(outputs, GemvKernels.OutputsOfRows), Groups(rows, GemvKernels.RowsOfRows), 1), gemvSize, product);
        else if (tensor is not null && TensorCores.AreFor(launcher, rows))
            launcher.Launch(tensor, TensorCores.Groups(rows, outputs), TensorCores.GroupSize, product);
        else
            launcher.Launch(Tile, new Index3D(Groups(outputs, across * GemmKernels.PerThread), Groups(rows, tileSize / across * GemmKernels.PerThread), 1), tileSize, product);
    }

    private static int Groups(int count, int perGroup) => (count + perGroup - 1) / perGroup;
}
