using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Dequantize;
using FastLayers.Kernels.Gpu.Embedding;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.Quantize;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Tests.Broken;

/// <summary>Kernels that read and write formats, wrong on purpose: the check of the catalog must find each of them out.</summary>
public sealed class BrokenFormatKernelTests : IDisposable
{
    /// <summary>The factor of the entries of the catalog.</summary>
    private const float Factor = 0.3f;

    private static readonly GpuKernel<DequantizeKernels.Arguments> s_wrongScale = new("wrong scale", DequantizeKernels.Blocks<WrongScale, float, GpuF32>);
    private static readonly GpuKernel<DequantizeKernels.Arguments> s_wrongRounding = new("wrong rounding", DequantizeKernels.Blocks<GpuQ4_0, ushort, Truncated>);
    private static readonly GpuKernel<DequantizeKernels.Arguments> s_forgottenTail = new("forgotten tail", ForgottenTail);
    private static readonly GpuKernel<QuantizeActivationsKernels.Arguments> s_wrongSum = new("wrong sum", WrongSum);
    private static readonly GpuKernel<EncodeKernels.Arguments> s_wrongEncoder = new("wrong encoder", EncodeKernels.Blocks<GpuQ8_0, HalvesToEven>);

    private readonly SimulatedDevice _device = new(multiprocessors: 2);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Right_kernel_passes() => Assert.Null(Dequantize("q4_0", Format.F32, launcher => arguments =>
        DequantizeKernels.Launch(launcher, Format.Q4_0, arguments.X, Format.F32, arguments.Y)).Failure);

    [Fact]
    public void Wrong_scale_is_found() => Assert.Contains("'y' differs", Dequantize("q4_0", Format.F32, Start(s_wrongScale)).Failure, StringComparison.Ordinal);

    [Fact]
    public void Truncation_in_place_of_rounding_is_found() =>
        Assert.Contains("'y' differs", Dequantize("q4_0", Format.BF16, Start(s_wrongRounding)).Failure, StringComparison.Ordinal);

    [Fact]
    public void Forgotten_tail_is_found() => Assert.Contains("'y' differs", Dequantize("q4_0", Format.F32, Start(s_forgottenTail)).Failure, StringComparison.Ordinal);

    [Fact]
    public void Tokens_beyond_the_table_give_NaN_and_are_found() => Assert.Contains("error of", _device.Check("EmbeddingLookup.q6_k", (launcher, b) =>
    {
        var table = Table(b, Format.Q6_K);
        table.Rows = 0;
        EmbeddingLookupKernels.Launch(launcher, Format.Q6_K, table, b.Ints("tokens"), Factor, b.Floats("y"));
    }).Failure, StringComparison.Ordinal);

    [Fact]
    public void Right_factor_of_an_embedding_passes() => Assert.Null(_device.Check("EmbeddingLookup.f16", (launcher, b) =>
        EmbeddingLookupKernels.Launch(launcher, Format.F16, Table(b, Format.F16), b.Ints("tokens"), Factor, b.Floats("y"))).Failure);

    [Fact]
    public void Wrong_factor_of_an_embedding_is_found() => Assert.Contains("error", _device.Check("EmbeddingLookup.f16", (launcher, b) =>
        EmbeddingLookupKernels.Launch(
            launcher, Format.F16, Table(b, Format.F16), b.Ints("tokens"), Factor * 1.00001f, b.Floats("y"))).Failure, StringComparison.Ordinal);

    [Fact]
    public void Sum_over_the_wrong_half_is_found() => Assert.Contains("'rounded' differs", _device.Check("QuantizeActivations", (launcher, b) =>
    {
        QuantizeActivationsKernels.Launch(launcher, b.Floats("x"), b.Bytes("rounded"), b.Shape["rows"], b.Shape["columns"]);
        long values = b.Floats("x").Length;
        launcher.Launch(s_wrongSum, new Index3D(1, 1, 1), 1, new QuantizeActivationsKernels.Arguments { Sums16 = b.Bytes("rounded").SubView(values + (values / 4), values / 4).Cast<float>() });
    }).Failure, StringComparison.Ordinal);

    [Fact]
    public void Halves_rounded_to_even_where_the_format_says_away_from_zero_are_found() => Assert.Contains("'y' differs", _device.Check("Encode.q8_0", (launcher, b) =>
    {
        var layout = GpuMatrixLayout.Of(Format.Q8_0, b.Shape["rows"], b.Shape["columns"]);
        var y = layout.On(b.Scratch<byte>((int)layout.ByteLength));
        long blocks = b.Floats("x").Length / Format.Q8_0.BlockLength;
        launcher.LaunchThreads(s_wrongEncoder, blocks, new EncodeKernels.Arguments { X = b.Floats("x"), Y = y, Count = blocks });
        FileOrderKernels.Launch(launcher, layout, y, b.Bytes("y"));
    }).Failure, StringComparison.Ordinal);

    internal static void ForgottenTail(DequantizeKernels.Arguments a)
    {
        var y = a.Y.SubView(Grid.IdxX * 4L * a.X.Columns, 4L * a.X.Columns).Cast<Four<float>>();
        for (int quad = Group.IdxX; quad < (a.X.Columns / 4) - 1; quad += Group.DimX)
        {
            var values = BlockValues.Quad<GpuQ4_0>(a.X.RowCodes<GpuQ4_0>(Grid.IdxX), a.X.RowRest<GpuQ4_0>(Grid.IdxX), quad);
            y[quad] = new Four<float> { A = values.X, B = values.Y, C = values.Z, D = values.W };
        }
    }

    internal static void WrongSum(QuantizeActivationsKernels.Arguments a) => (a.Sums16[0], a.Sums16[1]) = (a.Sums16[1], a.Sums16[0]);

    private static GpuMatrix Table(GpuBuffers b, Format format) =>
        b.Matrix("table", format, (int)(b.HostBytes("table").Length / format.RowBytes(b.Shape["columns"])), b.Shape["columns"]);

    private static Func<GpuLauncher, Action<DequantizeKernels.Arguments>> Start(GpuKernel<DequantizeKernels.Arguments> kernel) =>
        launcher => arguments => launcher.Launch(kernel, new Index3D(arguments.X.Rows, 1, 1), launcher.GroupLimit, arguments);

    private KernelOutcome Dequantize(string format, Format target, Func<GpuLauncher, Action<DequantizeKernels.Arguments>> launch) =>
        _device.Check($"Dequantize.{format}.{target.Name}", (launcher, b) => launch(launcher)(new()
        {
            X = b.Matrix("x", Format.Q4_0, b.Shape["rows"], b.Shape["columns"]),
            Y = b.Bytes("y"),
        }));

    /// <summary>Q4_0 with a scale that is off by the rounding of a float.</summary>
    internal readonly struct WrongScale : IGpuBlock
    {
        public int BlockLength => default(GpuQ4_0).BlockLength;

        public int GroupLength => default(GpuQ4_0).GroupLength;

        public int CodeOffset => default(GpuQ4_0).CodeOffset;

        public int CodeBytes => default(GpuQ4_0).CodeBytes;

        public int RestBytes => default(GpuQ4_0).RestBytes;

        public bool HasMinimums => false;

        public int Codes(ArrayView<int> codes, int block, int quad) => default(GpuQ4_0).Codes(codes, block, quad);

        public float Scale(ArrayView<byte> rest, int block, int group) => default(GpuQ4_0).Scale(rest, block, group) * 1.0000001f;

        public float Minimum(ArrayView<byte> rest, int block, int group) => 0;
    }

    /// <summary>BF16 without rounding.</summary>
    internal readonly struct Truncated : IGpuFloat<ushort>
    {
        public float Load(ushort element) => default(GpuBF16).Load(element);

        public ushort Store(float value) => (ushort)(Interop.FloatAsInt(value) >> 16);
    }

    /// <summary>Q8_0 with the rounding of Q8_K.</summary>
    internal readonly struct HalvesToEven : IGpuEncoder
    {
        public void Encode(ArrayView<float> x, ArrayView<int> codes, ArrayView<byte> rest, int zero)
        {
            float scale = ExactFloat.LargestMagnitude(x, 0, 32) / 127;
            ExactFloat.StoreHalf(rest, 0, scale);
            for (int word = 0; word < 8; word++)
            {
                int packed = 0;
                for (int b = 0; b < 4; b++)
                    packed |= (ExactFloat.HalfToEven(ExactFloat.Product(x[(4 * word) + b], ExactFloat.InverseOrZero(scale), zero)) & 0xFF) << (8 * b);
                codes[word] = packed;
            }
        }
    }
}
