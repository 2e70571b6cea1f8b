using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.MatMul;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>
/// Activations rounded to 8 bit in blocks of 32, one thread a block, in the planes of <see cref="QuantizedActivations"/>. The second pass over a
/// block finds it in the cache.
/// </summary>
internal static class QuantizeActivationsKernels
{
    private const int BlockLength = QuantizedActivations.BlockLength;

    public static GpuKernel<Arguments> Kernel { get; } = new("QuantizeActivations", Blocks, ".v4.f32");

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("QuantizeActivations", (launcher, b) => Launch(launcher, b.Floats("x"), b.Bytes("rounded"), b.Shape["rows"], b.Shape["columns"])),
    ];

    /// <summary>Rounds all rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The activations, [rows, columns], from a multiple of 16 bytes on.</param>
    /// <param name="rounded">Receives the planes: <see cref="QuantizedActivations.Bytes"/> bytes, from a multiple of 16 on.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row; a multiple of 32.</param>
    public static void Launch(GpuLauncher launcher, ArrayView<float> x, ArrayView<byte> rounded, int rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        long values = (long)rows * columns;
        if (columns % BlockLength != 0) throw new ArgumentException($"Quantize activations: blocks have {BlockLength} values; {columns} columns do not divide.", nameof(columns));
        if (x.Length != values) throw new ArgumentException($"Quantize activations: {rows} rows of {columns} columns are {values} values, found {x.Length}.", nameof(x));
        if (rounded.Length != QuantizedActivations.Bytes(rows, columns))
            throw new ArgumentException($"Quantize activations: {rows} rows of {columns} columns take {QuantizedActivations.Bytes(rows, columns)} bytes, found {rounded.Length}.", nameof(rounded));
        long blocks = values / BlockLength;
        var floats = rounded.SubView(values, 16 * blocks).Cast<float>();
        launcher.LaunchThreads(Kernel, blocks, new Arguments
        {
            X = x.Cast<Float4>(),
            Codes = rounded.SubView(0, values).Cast<int>(),
            Scales = floats.SubView(0, blocks),
            Sums32 = floats.SubView(blocks, blocks),
            Sums16 = floats.SubView(2 * blocks, 2 * blocks),
            BlockCount = blocks,
        });
    }

    internal static void Blocks(Arguments a)
    {
        long block = ((long)Grid.IdxX * Group.DimX) + Group.IdxX;
        if (block >= a.BlockCount) return;
        var x = a.X.SubView(block * 8, 8).AsAligned(16);
        var codes = a.Codes.SubView(block * 8, 8);

        int largest = 0;
        for (int quad = 0; quad < 8; quad++)
        {
            var values = x[quad];
            largest = Larger(largest, Larger(Larger(ExactFloat.MagnitudeBits(values.X), ExactFloat.MagnitudeBits(values.Y)), Larger(ExactFloat.MagnitudeBits(values.Z), ExactFloat.MagnitudeBits(values.W))));
        }

        // A block with a value that is not finite gets the scale NaN and the codes 0; one of the smallest magnitudes only, the codes 0.
        float max = Interop.IntAsFloat((uint)largest);
        bool finite = ExactFloat.IsFinite(largest);
        float scale = finite ? max / 127f : float.NaN;
        float factor = finite && largest > 0 ? ExactFloat.FiniteOrZero(127f / max) : 0;
        int sumLow = 0;
        int sumHigh = 0;
        for (int quad = 0; quad < 8; quad++)
        {
            var values = x[quad];
            int first = finite ? ExactFloat.HalfToEven(ExactFloat.Product(values.X, factor, a.Zero)) : 0;
            int second = finite ? ExactFloat.HalfToEven(ExactFloat.Product(values.Y, factor, a.Zero)) : 0;
            int third = finite ? ExactFloat.HalfToEven(ExactFloat.Product(values.Z, factor, a.Zero)) : 0;
            int fourth = finite ? ExactFloat.HalfToEven(ExactFloat.Product(values.W, factor, a.Zero)) : 0;
            codes[quad] = (first & 0xFF) | ((second & 0xFF) << 8) | ((third & 0xFF) << 16) | (fourth << 24);
            int sum = first + second + third + fourth;
            sumLow += quad < 4 ? sum : 0;
            sumHigh += quad < 4 ? 0 : sum;
        }

        a.Scales[block] = scale;
        a.Sums16[2 * block] = scale * sumLow;
        a.Sums16[(2 * block) + 1] = scale * sumHigh;
        a.Sums32[block] = scale * (sumLow + sumHigh);
    }

    private static int Larger(int x, int y) => x > y ? x : y;

    internal struct Arguments
    {
        public ArrayView<Float4> X;
        public ArrayView<int> Codes;
        public ArrayView<float> Scales;
        public ArrayView<float> Sums32;
        public ArrayView<float> Sums16;
        public long BlockCount;

        /// <summary>Always 0, which the compiler must not know: see <see cref="ExactFloat.Product"/>.</summary>
        public int Zero;
    }
}
