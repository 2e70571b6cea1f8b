using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.MatMul;

public sealed unsafe class InterleavedTests
{
    public static TheoryData<string> Formats => [.. Format.All.Where(format => !InterleavedLayout.IsSupported || InterleavedLayout.For(format) is not null).Select(format => format.Name)];

    public static TheoryData<string> BlockFormats => [.. Format.All.Where(format => !InterleavedLayout.IsSupported || InterleavedLayout.For(format) is { RoundsActivations: true }).Select(format => format.Name)];

    public static TheoryData<string, KernelCode> FormatsAndCodes => WithCodes(Formats);

    public static TheoryData<string, KernelCode> BlockFormatsAndCodes => WithCodes(BlockFormats);

    [Fact]
    public void Activations_are_those_of_the_other_layout()
    {
        const int rows = 70;
        const int columns = 96;
        float[] values = Noise(rows * columns);
        var memory = new byte[InterleavedActivations.Bytes(rows, columns)];
        var plain = new byte[QuantizedActivations.Bytes(rows, columns)];
        using var pool = new WorkerPool(2);
        fixed (float* x = values)
        fixed (byte* m = memory, p = plain)
        {
            var interleaved = new InterleavedActivations(m, rows, columns);
            interleaved.Quantize(pool, x);
            var expected = new QuantizedActivations(p, rows, columns);
            ActivationQuantizer.Quantize(pool, x, expected);
            for (int row = 0; row < rows; row++)
            {
                for (int block = 0; block < columns / 32; block++)
                {
                    // Chunks of 64 rows; in a chunk block after block, in a block row after row.
                    int chunk = row / 64 * 64;
                    int place = (chunk * (columns / 32)) + (block * Math.Min(64, rows - chunk)) + (row - chunk);
                    int from = (row * (columns / 32)) + block;
                    Assert.Equal(new ReadOnlySpan<sbyte>(expected.Codes + (from * 32), 32), new ReadOnlySpan<sbyte>(interleaved.Codes + (place * 32), 32));
                    var parts = interleaved.Parts[place];
                    Assert.Equal(expected.Scales[from], parts.Scale);
                    Assert.Equal(expected.Sums32[from], parts.Sum32);
                    Assert.Equal(expected.Sums16[2 * from], parts.SumLow);
                    Assert.Equal(expected.Sums16[(2 * from) + 1], parts.SumHigh);
                    Assert.Equal(parts.SumLow, parts.Scale * (short)parts.CodeSums);
                    Assert.Equal(parts.SumHigh, parts.Scale * (parts.CodeSums >> 16));
                }
            }
        }
    }

    /// <summary>All codes at one end and activations at theirs: sums that are too large for 16 bit would show.</summary>
    [Theory]
    [MemberData(nameof(BlockFormatsAndCodes))]
    public void The_largest_codes_do_not_overflow(string name, KernelCode code)
    {
        SkipWithoutLayout();
        Assert.True(Format.TryParse(name, out var format));
        const int columns = 512;
        foreach (byte fill in (byte[])[0x00, 0xFF, 0x7F, 0x80, 0x0F, 0xF0])
        {
            byte[] row = new byte[format.RowBytes(columns)];
            Array.Fill(row, fill);
            MakeScalesFinite(format, row);
            foreach (float sign in (float[])[1, -1])
            {
                float[] x = new float[columns];
                for (int i = 0; i < columns; i++) x[i] = sign * (i % 3 == 2 ? -127 : 127);
                var expected = new double[1];
                MatMulReference.Multiply(format, row, [], x, expected, 1, columns);
                float found = Multiply(format, row, x, 1, 1, code)[0];
                Assert.True(Math.Abs(found - expected[0]) <= 1e-5 * Math.Max(1, Magnitude(format, row, columns)), $"fill {fill:x2}, sign {sign}: {found}, expected {expected[0]}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(FormatsAndCodes))]
    public void A_row_does_not_depend_on_the_others(string name, KernelCode code)
    {
        SkipWithoutLayout();
        Assert.True(Format.TryParse(name, out var format));
        const int columns = 256;
        const int outputs = 19;
        byte[] weights = new byte[outputs * format.RowBytes(columns)];
        format.Encode(Noise(outputs * columns), weights);
        float[] x = Noise(67 * columns);
        float[] together = Multiply(format, weights, x, 67, outputs, code);
        for (int row = 0; row < 67; row += 11)
            Assert.Equal(together.AsSpan(row * outputs, outputs).ToArray(), Multiply(format, weights, x.AsSpan(row * columns, columns).ToArray(), 1, outputs, code));
    }

    [Fact]
    public void Wrong_operands_are_refused()
    {
        SkipWithoutLayout();
        Assert.Null(InterleavedLayout.For(Format.Q8_K));
        var layout = InterleavedLayout.For(Format.Q4_0)!;
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.Bytes(-1, 32));
        Assert.Throws<ArgumentException>(() => layout.Bytes(1, 33));
        using var pool = new WorkerPool(1);
        Assert.Throws<ArgumentException>(() => MatMulSimdInterleaved.Multiply(pool, layout, new MatMulArguments { Format = Format.Q8_K, Weights = null, Input = null, Output = null, Rows = 1, Outputs = 1, Columns = 256 }, null));
        Assert.Throws<ArgumentException>(() => MatMulSimdInterleaved.Multiply(pool, layout, new MatMulArguments { Format = Format.Q4_0, Weights = null, Input = null, Output = null, Rows = -1, Outputs = 1, Columns = 32 }, null));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void The_layout_takes_little_more_than_the_file(string name)
    {
        SkipWithoutLayout();
        Assert.True(Format.TryParse(name, out var format));
        Assert.InRange(InterleavedLayout.For(format)!.Bytes(64, 4096) / (double)(64 * format.RowBytes(4096)), 1, 1.09);
    }

    private static TheoryData<string, KernelCode> WithCodes(TheoryData<string> formats)
    {
        var data = new TheoryData<string, KernelCode>();
        foreach (var row in formats)
        {
            data.Add(row.Data, KernelCode.Compiled);
            data.Add(row.Data, KernelCode.Emitted);
        }

        return data;
    }

    private static void SkipWithoutLayout() => Assert.SkipUnless(InterleavedLayout.IsSupported, "This processor has no AVX2, which the layout is made for.");

    private static float[] Multiply(Format format, byte[] weights, float[] x, int rows, int outputs, KernelCode code)
    {
        int columns = x.Length / rows;
        var layout = InterleavedLayout.For(format)!;
        using var pool = new WorkerPool(2);
        var output = new float[rows * outputs];
        byte[] interleaved = GC.AllocateArray<byte>((int)layout.Bytes(outputs, columns), pinned: true);
        byte[] memory = GC.AllocateArray<byte>((int)layout.ActivationBytes(rows, columns), pinned: true);
        fixed (byte* w = weights, i = interleaved, m = memory)
        fixed (float* input = x, y = output)
        {
            layout.Interleave(pool, w, outputs, columns, i);
            MatMulSimdInterleaved.Multiply(pool, layout, new MatMulArguments { Format = format, Weights = i, Input = input, Output = y, Rows = rows, Outputs = outputs, Columns = columns, Code = code }, m);
        }

        return output;
    }

    /// <summary>Writes small scales where a pattern would make infinities or NaN.</summary>
    private static void MakeScalesFinite(Format format, byte[] row)
    {
        for (int block = 0; block < row.Length; block += format.BlockBytes)
        {
            var bytes = row.AsSpan(block, format.BlockBytes);
            if (format == Format.MXFP4) bytes[0] = 120;
            if (format.HasFiniteScales(bytes)) continue;
            foreach (int place in (int[])[0, 2, format.BlockBytes - 4, format.BlockBytes - 2])
            {
                if (!format.HasFiniteScales(bytes)) System.Buffers.Binary.BinaryPrimitives.WriteHalfLittleEndian(bytes[place..], (Half)0.01f);
            }
        }
    }

    private static double Magnitude(Format format, byte[] row, int columns)
    {
        var values = new float[columns];
        format.Decode(row, values);
        return values.Sum(value => 127.0 * Math.Abs(value));
    }

    private static float[] Noise(int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }
}
