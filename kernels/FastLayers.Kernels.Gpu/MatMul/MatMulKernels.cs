using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of float activations with the transpose of a weight matrix of any format: see <see cref="Kernels.MatMul.MatMulSimdFloat"/>.
/// </summary>
internal static class MatMulKernels
{
    private static readonly Dictionary<Format, IProductKernels> s_kernels = GpuFormats.Blocks
        .Select(format => (format, GpuFormats.Visit(format, (IGpuBlockVisitor<IProductKernels>)default(KernelsOf))))
        .Concat(GpuFormats.Floats.Select(format => (format, GpuFormats.Visit(format, (IGpuFloatVisitor<IProductKernels>)default(KernelsOf)))))
        .ToDictionary();

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_kernels.Values.SelectMany(kernels => kernels.All)];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [.. s_kernels.Keys.Select(format => new GpuOperation($"MatMul.Float.{format.Name}", (launcher, b) => Launch(
        launcher, format, b.Matrix("w", format, b.Shape["outputs"], b.Shape["columns"]), b.Floats("bias"), b.Floats("x"), b.Floats("y"), b.Shape["rows"], b.Shape["outputs"], b.Shape["columns"])))];

    /// <summary>Multiplies: <c>y[m, n] = bias[n] + Σ_k x[m, k] · w[n, k]</c>.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="format">Storage format of the weights.</param>
    /// <param name="weight">The matrix [<paramref name="outputs"/>, <paramref name="columns"/>].</param>
    /// <param name="bias">One value an output, or empty.</param>
    /// <param name="x">Activations [<paramref name="rows"/>, <paramref name="columns"/>], at a multiple of 16 bytes.</param>
    /// <param name="y">Receives [<paramref name="rows"/>, <paramref name="outputs"/>]; must not overlap the operands.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="columns">Columns of the matrix.</param>
    /// <exception cref="ArgumentException">An operand has another size than the numbers say.</exception>
    public static void Launch(
        GpuLauncher launcher, Format format, GpuMatrix weight, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows, int outputs, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        ProductArguments.RequireMatrix(weight, outputs, columns);
        ProductArguments.RequireLength("activations", (long)rows * columns, x.Length);
        ProductArguments.RequireOutput(bias, y, rows, outputs);
        s_kernels[format].Launch(launcher, weight, bias, x, y, rows);
    }

    /// <summary>The kernels of one format.</summary>
    private interface IProductKernels
    {
        IReadOnlyList<GpuKernel> All { get; }

        void Launch(GpuLauncher launcher, GpuMatrix weight, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows);
    }

    private sealed class BlockKernels<TBlock>(string name) : IProductKernels
        where TBlock : struct, IGpuBlock
    {
        private readonly FloatProductKernels<BlockWeights<TBlock>> _kernels = new(name, new($"{name}.TensorGemm", FloatTensorKernels.Tile, "mma.sync.aligned"));

        public IReadOnlyList<GpuKernel> All => _kernels.All;

        public void Launch(GpuLauncher launcher, GpuMatrix weight, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows) =>
            _kernels.Launch(launcher, new BlockWeights<TBlock> { Matrix = weight }, bias, x, y, rows, weight.Rows, weight.Columns);
    }

    private sealed class FloatKernels<TElement, TFloat>(string name) : IProductKernels
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>
    {
        private readonly FloatProductKernels<FloatWeights<TElement, TFloat>> _kernels = new(name);

        public IReadOnlyList<GpuKernel> All => _kernels.All;

        public void Launch(GpuLauncher launcher, GpuMatrix weight, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows) =>
            _kernels.Launch(launcher, new FloatWeights<TElement, TFloat> { Matrix = weight }, bias, x, y, rows, weight.Rows, weight.Columns);
    }

    private sealed class HalfKernels<THalf>(string name) : IProductKernels
        where THalf : struct, IGpuHalf
    {
        private readonly FloatProductKernels<HalfWeights<THalf>> _kernels = new(name, new($"{name}.TensorGemm", FloatTensorKernels.Tile, "mma.sync.aligned"));

        public IReadOnlyList<GpuKernel> All => _kernels.All;

        public void Launch(GpuLauncher launcher, GpuMatrix weight, ArrayView<float> bias, ArrayView<float> x, ArrayView<float> y, int rows) =>
            _kernels.Launch(launcher, new HalfWeights<THalf> { Elements = new() { Matrix = weight } }, bias, x, y, rows, weight.Rows, weight.Columns);
    }

    private readonly struct KernelsOf : IGpuBlockVisitor<IProductKernels>, IGpuFloatVisitor<IProductKernels>
    {
        public IProductKernels Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock => new BlockKernels<TBlock>($"MatMul.Float.{format.Name}");

        public IProductKernels Visit<TElement, TFloat>(Format format)
            where TElement : unmanaged
            where TFloat : struct, IGpuFloat<TElement> => format.Name switch
            {
                "f16" => new HalfKernels<GpuF16>($"MatMul.Float.{format.Name}"),
                "bf16" => new HalfKernels<GpuBF16>($"MatMul.Float.{format.Name}"),
                _ => new FloatKernels<TElement, TFloat>($"MatMul.Float.{format.Name}"),
            };
    }
}
