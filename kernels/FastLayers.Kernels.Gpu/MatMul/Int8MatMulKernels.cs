using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of activations rounded to 8 bit with the transpose of a block matrix: see <see cref="Kernels.MatMul.MatMulSimdInt8"/>.
/// </summary>
internal static class Int8MatMulKernels
{
    private static readonly Dictionary<Format, KernelsOfFormat> s_kernels = GpuFormats.Blocks
        .Where(Kernels.MatMul.MatMulSimdInt8.Supports)
        .ToDictionary(format => format, format => GpuFormats.Visit(format, default(KernelsOf)));

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_kernels.Values.SelectMany(kernels => new GpuKernel[] { kernels.Row, kernels.Rows, kernels.Tile, kernels.Tensor })];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [.. s_kernels.Keys.Select(format => new GpuOperation($"MatMul.Int8.{format.Name}", (launcher, b) => Launch(
        launcher, format, b.Matrix("w", format, b.Shape["outputs"], b.Shape["columns"]), b.Floats("bias"), GpuQuantizedActivations.On(b.Bytes("rounded"), b.Shape["rows"], b.Shape["columns"]), b.Floats("y"), b.Shape["rows"], b.Shape["outputs"], b.Shape["columns"]))
    {
        ReasonToSkip = launcher => Supports(launcher, format) ? null : WithoutByteProducts(launcher),
    })];

    /// <summary>
    /// Whether a device can multiply 8-bit activations with weights of a format: it must be a block format, and CUDA devices need dp4a, which came
    /// with compute capability 6.1. Everything else has <see cref="MatMulKernels"/>.
    /// </summary>
    public static bool Supports(GpuLauncher launcher, Format format)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        return s_kernels.ContainsKey(format) && HasByteProducts((launcher.Accelerator as CudaAccelerator)?.Architecture);
    }

    /// <summary>Multiplies: <c>y[m, n] = bias[n] + Σ_k (scale · code)[m, k] · w[n, k]</c>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="format">Storage format of the weights.</param>
    /// <param name="weight">The matrix [<paramref name="outputs"/>, <paramref name="columns"/>].</param>
    /// <param name="bias">One value an output, or empty.</param>
    /// <param name="activations">Rounded activations [<paramref name="rows"/>, <paramref name="columns"/>].</param>
    /// <param name="y">Receives [<paramref name="rows"/>, <paramref name="outputs"/>]; must not overlap the operands.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="columns">Columns of the matrix.</param>
    /// <exception cref="ArgumentException">An operand has another size than the numbers say.</exception>
    /// <exception cref="NotSupportedException">The format stores floats, or the device has no products of bytes; see <see cref="Supports"/>.</exception>
    public static void Launch(
        GpuLauncher launcher, Format format, GpuMatrix weight, ArrayView<float> bias, GpuQuantizedActivations activations, ArrayView<float> y, int rows, int outputs, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        if (!s_kernels.TryGetValue(format, out var kernels)) throw new NotSupportedException($"{format.Name} has no kernel for 8-bit activations.");
        if (!Supports(launcher, format)) throw new NotSupportedException($"{kernels.Row.Name}: {WithoutByteProducts(launcher)}.");
        ProductArguments.RequireMatrix(weight, outputs, columns);
        ProductArguments.RequireLength("the words of rounded activations", (long)rows * columns / 4, activations.Codes.Length);
        ProductArguments.RequireOutput(bias, y, rows, outputs);
        int tileSize = launcher.GroupSize(GemmKernels.GroupSize);
        int across = GemmKernels.AcrossOf(tileSize);
        var product = new CodeProduct
        {
            Weights = weight,
            Activations = activations,
            Bias = bias.Length > 0 ? bias : y,
            Y = y,
            Rows = rows,
            HasBias = bias.Length > 0 ? 1 : 0,
            Across = across,
        };
        int gemvSize = launcher.GroupSize(Int8GemvKernels.GroupSize);
        if (rows == 1)
            launcher.Launch(kernels.Row, new Index3D(Groups(outputs, Int8GemvKernels.OutputsOfRow), 1, 1), gemvSize, product);
        else if (rows <= GemmKernels.GemvRowLimit)
            launcher.Launch(kernels.Rows, new Index3D(outputs, Groups(rows, Int8GemvKernels.RowsOfRows), 1), gemvSize, product);
        else if (TensorCores.AreFor(launcher, rows))
            launcher.Launch(kernels.Tensor, TensorCores.Groups(rows, outputs), TensorCores.GroupSize, product);
        else
            launcher.Launch(kernels.Tile, new Index3D(Groups(outputs, across * GemmKernels.PerThread), Groups(rows, tileSize / across * GemmKernels.PerThread), 1), tileSize, product);
    }

    /// <summary>Whether devices of an architecture of CUDA, or of no such, multiply bytes.</summary>
    internal static bool HasByteProducts(CudaArchitecture? architecture) => architecture is not { } cuda || cuda >= CudaArchitecture.SM_61;

    private static string WithoutByteProducts(GpuLauncher launcher) => $"{launcher.Accelerator.Name} has no dp4a, which came with compute capability 6.1";

    private static int Groups(int count, int perGroup) => (count + perGroup - 1) / perGroup;

    private sealed record KernelsOfFormat(GpuKernel<CodeProduct> Row, GpuKernel<CodeProduct> Rows, GpuKernel<CodeProduct> Tile, GpuKernel<CodeProduct> Tensor);

    private readonly struct KernelsOf : IGpuBlockVisitor<KernelsOfFormat>
    {
        public KernelsOfFormat Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock => new(
            new GpuKernel<CodeProduct>($"MatMul.Int8.{format.Name}.GemvRow", Int8GemvKernels.Row<TBlock>, "dp4a.s32.s32", "ld.global.v4"),
            new GpuKernel<CodeProduct>($"MatMul.Int8.{format.Name}.GemvRows", Int8GemvKernels.Rows<TBlock>, "dp4a.s32.s32", "ld.global.v4"),
            new GpuKernel<CodeProduct>($"MatMul.Int8.{format.Name}.Gemm", Int8GemmKernels.Tile<TBlock>, "dp4a.s32.s32", "ld.shared.v4"),
            new GpuKernel<CodeProduct>($"MatMul.Int8.{format.Name}.TensorGemm", Int8TensorKernels.Tile<TBlock>, "mma.sync.aligned"));
    }
}
