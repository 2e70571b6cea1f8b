using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>
/// Floats to the formats with a fixed rule, to the bytes of <see cref="Format.Encode"/>, one thread a block; blocks are independent and many.
/// Values must be finite. The result is a matrix as other kernels read it; catalog entries bring it into the order of a file.
/// </summary>
internal static class EncodeKernels
{
    private static readonly Dictionary<Format, GpuKernel<Arguments>> s_kernels = new()
    {
        [Format.F16] = new("Encode.f16", Floats<ushort, GpuF16>),
        [Format.BF16] = new("Encode.bf16", Floats<ushort, GpuBF16>),
        [Format.Q4_0] = Create<GpuQ4_0, NibbleEncoders.Q4_0>(Format.Q4_0),
        [Format.Q4_1] = Create<GpuQ4_1, NibbleEncoders.Q4_1>(Format.Q4_1),
        [Format.Q5_0] = Create<GpuQ5_0, NibbleEncoders.Q5_0>(Format.Q5_0),
        [Format.Q5_1] = Create<GpuQ5_1, NibbleEncoders.Q5_1>(Format.Q5_1),
        [Format.Q8_0] = Create<GpuQ8_0, ByteEncoders.Q8_0>(Format.Q8_0),
        [Format.Q8_1] = Create<GpuQ8_1, ByteEncoders.Q8_1>(Format.Q8_1),
        [Format.Q8_K] = Create<GpuQ8_K, ByteEncoders.Q8_K>(Format.Q8_K),
        [Format.TQ1_0] = Create<GpuTQ1_0, TernaryEncoders.TQ1_0>(Format.TQ1_0),
        [Format.TQ2_0] = Create<GpuTQ2_0, TernaryEncoders.TQ2_0>(Format.TQ2_0),
        [Format.MXFP4] = Create<GpuMXFP4, Float4Encoders.MXFP4>(Format.MXFP4),
        [Format.NVFP4] = Create<GpuNVFP4, Float4Encoders.NVFP4>(Format.NVFP4),
        [Format.Q1_0] = Create<GpuQ1_0, TernaryEncoders.Q1_0>(Format.Q1_0),
        [Format.Q2_0] = Create<GpuQ2_0, TernaryEncoders.Q2_0>(Format.Q2_0),
    };

    public static IReadOnlyList<GpuKernel> All { get; } = [.. s_kernels.Values];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [.. Kernels.Quantize.EncodeCase.Formats.Select(format =>
        new GpuOperation(Kernels.Quantize.EncodeCase.NameOf(format), (launcher, b) => Run(launcher, b, format)))];

    /// <summary>Encodes all rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The values, [rows, columns].</param>
    /// <param name="format">The format to encode to.</param>
    /// <param name="y">Receives the rows.</param>
    /// <exception cref="NotSupportedException">The encoder of the format searches for scales, which is done on the CPU.</exception>
    public static void Launch(GpuLauncher launcher, ArrayView<float> x, Format format, GpuMatrix y)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        ArgumentNullException.ThrowIfNull(format);
        if (!s_kernels.TryGetValue(format, out var kernel)) throw new NotSupportedException($"Encode: rows are not encoded to {format.Name} on a GPU.");
        if (x.Length != (long)y.Rows * y.Columns) throw new ArgumentException($"Encode: {y.Rows} rows of {y.Columns} columns need {(long)y.Rows * y.Columns} values, found {x.Length}.", nameof(x));
        launcher.LaunchThreads(kernel, x.Length / format.BlockLength, new Arguments { X = x, Y = y, Count = x.Length / format.BlockLength });
    }

    internal static void Blocks<TBlock, TEncoder>(Arguments a)
        where TBlock : struct, IGpuBlock
        where TEncoder : struct, IGpuEncoder
    {
        TBlock format = default;
        TEncoder encoder = default;
        long block = ((long)Grid.IdxX * Group.DimX) + Group.IdxX;
        if (block >= a.Count) return;
        encoder.Encode(
            a.X.SubView(block * format.BlockLength, format.BlockLength),
            a.Y.Codes.SubView(block * (format.CodeBytes / 4), format.CodeBytes / 4),
            a.Y.Rest.SubView(block * format.RestBytes, format.RestBytes),
            a.Zero);
    }

    internal static void Floats<TElement, TFloat>(Arguments a)
        where TElement : unmanaged
        where TFloat : struct, IGpuFloat<TElement>
    {
        TFloat format = default;
        long i = ((long)Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < a.Count) a.Y.Rest.Cast<TElement>()[i] = format.Store(a.X[i]);
    }

    private static void Run(GpuLauncher launcher, GpuBuffers b, Format format)
    {
        var layout = GpuMatrixLayout.Of(format, b.Shape["rows"], b.Shape["columns"]);
        var y = layout.On(GpuFormats.IsBlock(format) ? b.Scratch<byte>(checked((int)layout.ByteLength)) : b.Bytes("y"));
        Launch(launcher, b.Floats("x"), format, y);
        if (GpuFormats.IsBlock(format)) FileOrderKernels.Launch(launcher, layout, y, b.Bytes("y"));
    }

    private static GpuKernel<Arguments> Create<TBlock, TEncoder>(Format format)
        where TBlock : struct, IGpuBlock
        where TEncoder : struct, IGpuEncoder => new($"Encode.{format.Name}", Blocks<TBlock, TEncoder>);

    internal struct Arguments
    {
        public ArrayView<float> X;
        public GpuMatrix Y;
        /// <summary>Blocks, or elements of a float format.</summary>
        public long Count;

        /// <summary>Always 0, which the compiler must not know: see <see cref="ExactFloat.Product"/>.</summary>
        public int Zero;
    }
}
