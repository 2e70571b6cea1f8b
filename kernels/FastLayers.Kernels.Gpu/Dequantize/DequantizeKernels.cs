using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Dequantize;

/// <summary>
/// Matrices of any format as F32, F16 or BF16, one group a row and one thread for four neighboring values, stored at once: see
/// <see cref="Format.Decode"/>. Bound by writing the values. All but the float formats come out exactly as on the CPU even where a compiler
/// fuses the product with the subtraction: the product of a scale and a code is exact in every format with minimums.
/// </summary>
internal static class DequantizeKernels
{
    private const int PreferredGroupSize = 256;

    private static readonly Dictionary<(Format From, Format To), GpuKernel<Arguments>> s_kernels =
        (from source in Format.All from target in GpuFormats.Floats select (source, target)).ToDictionary(pair => pair, Create);

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_kernels.Values];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [.. s_kernels.Keys.Select(pair => new GpuOperation(Kernels.Dequantize.DequantizeCase.NameOf(pair.From, pair.To), (launcher, b) =>
        Launch(launcher, pair.From, b.Matrix("x", pair.From, b.Shape["rows"], b.Shape["columns"]), pair.To, b.Bytes("y"))))];

    /// <summary>Decodes all rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="format">How the matrix is stored.</param>
    /// <param name="x">The matrix.</param>
    /// <param name="target">F32, F16 or BF16.</param>
    /// <param name="y">Receives the values, rows one after the other; from a multiple of 16 bytes on.</param>
    public static void Launch(GpuLauncher launcher, Format format, GpuMatrix x, Format target, ArrayView<byte> y)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        ArgumentNullException.ThrowIfNull(target);
        long bytes = (long)x.Rows * x.Columns * target.BlockBytes;
        if (y.Length != bytes) throw new ArgumentException($"Dequantize: {x.Rows} rows of {x.Columns} values in {target.Name} take {bytes} bytes, found {y.Length}.", nameof(y));
        if (!s_kernels.TryGetValue((format, target), out var kernel)) throw new ArgumentException($"Dequantize: {target.Name} is no float format.", nameof(target));
        launcher.Launch(kernel, new Index3D(x.Rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments { X = x, Y = y });
    }

    internal static void Blocks<TBlock, TElement, TFloat>(Arguments a)
        where TBlock : struct, IGpuBlock
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>
    {
        TFloat target = default;
        var codes = a.X.RowCodes<TBlock>(Grid.IdxX);
        var rest = a.X.RowRest<TBlock>(Grid.IdxX);
        long rowBytes = (long)a.X.Columns * Interop.SizeOf<TElement>();
        var y = a.Y.SubView(Grid.IdxX * rowBytes, rowBytes).Cast<Four<TElement>>().AsAligned(4 * Interop.SizeOf<TElement>());
        for (int quad = Group.IdxX; quad < a.X.Columns / 4; quad += Group.DimX)
        {
            var values = BlockValues.Quad<TBlock>(codes, rest, quad);
            y[quad] = new Four<TElement>
            {
                A = target.Store(values.X),
                B = target.Store(values.Y),
                C = target.Store(values.Z),
                D = target.Store(values.W),
            };
        }
    }

    internal static void Floats<TSource, TSourceFloat, TElement, TFloat>(Arguments a)
        where TSource : unmanaged
        where TSourceFloat : struct, IGpuFloat<TSource>
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>
    {
        TSourceFloat source = default;
        TFloat target = default;
        var x = a.X.RowElements<TSource>(Grid.IdxX);
        long rowBytes = (long)a.X.Columns * Interop.SizeOf<TElement>();
        var y = a.Y.SubView(Grid.IdxX * rowBytes, rowBytes).Cast<TElement>();
        for (int i = Group.IdxX; i < a.X.Columns; i += Group.DimX) y[i] = target.Store(source.Load(x[i]));
    }

    private static GpuKernel<Arguments> Create((Format From, Format To) pair) =>
        GpuFormats.Visit(pair.To, new ToTarget(pair.From));

    internal struct Arguments
    {
        public GpuMatrix X;
        public ArrayView<byte> Y;
    }

    private readonly struct ToTarget(Format source) : IGpuFloatVisitor<GpuKernel<Arguments>>
    {
        public GpuKernel<Arguments> Visit<TElement, TFloat>(Format format)
            where TElement : unmanaged
            where TFloat : struct, IGpuFloat<TElement> => GpuFormats.VisitAny(source, new FromSource<TElement, TFloat>(format));
    }

    private readonly struct FromSource<TElement, TFloat>(Format target) : IGpuFormatVisitor<GpuKernel<Arguments>>
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>
    {
        public GpuKernel<Arguments> Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock =>
            new($"Dequantize.{format.Name}.{target.Name}", Blocks<TBlock, TElement, TFloat>, target.BlockBytes == 4 ? [".v4.f32"] : [".v4.b16"]);

        public GpuKernel<Arguments> Visit<TSource, TSourceFloat>(Format format)
            where TSource : unmanaged
            where TSourceFloat : struct, IGpuFloat<TSource> => new($"Dequantize.{format.Name}.{target.Name}", Floats<TSource, TSourceFloat, TElement, TFloat>);
    }
}
