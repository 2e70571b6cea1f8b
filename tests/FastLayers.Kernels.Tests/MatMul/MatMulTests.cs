using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.MatMul;

/// <summary>Every format and width of the matrix product against its definition.</summary>
public sealed unsafe class MatMulTests : IDisposable
{
    /// <summary>Of Σ|w·x|: float sums of up to 1,024 products in 4 to 16 partial sums.</summary>
    private const double FloatTolerance = 1e-5;

    /// <summary>The integer path against its own rounded activations: exact integers, then one float sum of blocks.</summary>
    private const double IntegerTolerance = 1e-5;

    private readonly WorkerPool _pool = new(2);

    public static TheoryData<string, SimdLevel> Cases
    {
        get
        {
            var data = new TheoryData<string, SimdLevel>();
            foreach (var format in Format.All)
            {
                foreach (var level in Enum.GetValues<SimdLevel>()) data.Add(format.Name, level);
            }

            return data;
        }
    }

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Float_activations_agree_with_the_definition(string name, SimdLevel level)
    {
        foreach (var (rows, outputs, columns) in Shapes(name))
        {
            using var data = new MatMulData(name, rows, outputs, columns);
            MatMulSimdFloat.Multiply(_pool, data.Arguments, level);
            data.CheckAgainst(data.Input, FloatTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Eight_bit_activations_agree_with_the_definition_on_the_rounded_input(string name, SimdLevel level)
    {
        if (!MatMulSimdInt8.Supports(Find(name)))
        {
            Assert.Throws<ArgumentException>(() => Multiply(name, level));
            return;
        }

        foreach (var (rows, outputs, columns) in Shapes(name)) Multiply(name, level, rows, outputs, columns);
    }

    [Fact]
    public void A_value_that_is_not_finite_makes_the_result_nan_not_wrong()
    {
        using var data = new MatMulData("q4_0", 1, 4, 64);
        data.Arguments.Input[5] = float.PositiveInfinity;
        var activations = data.Quantize(_pool);
        MatMulSimdInt8.Multiply(_pool, data.Arguments, activations);
        Assert.True(float.IsNaN(data.Arguments.Output[0]));
    }

    [Fact]
    public void Rounded_activations_are_the_nearest_codes()
    {
        using var data = new MatMulData("q8_0", 3, 1, 96);
        var activations = data.Quantize(_pool);
        for (int i = 0; i < 3 * 96; i++)
        {
            float scale = activations.Scales[i / 32];
            Assert.InRange(Math.Abs(data.Input[i] - (scale * activations.Codes[i])), 0, scale * 0.5001);
        }

        for (int block = 0; block < 9; block++)
        {
            int sum = Enumerable.Range(0, 32).Sum(i => activations.Codes[(block * 32) + i]);
            Assert.Equal(activations.Scales[block] * sum, activations.Sums32[block], 1e-5);
            Assert.Equal(activations.Sums32[block], activations.Sums16[2 * block] + activations.Sums16[(2 * block) + 1], 1e-5);
        }
    }

    [Theory]
    [InlineData("f16")]
    [InlineData("q4_1")]
    [InlineData("q6_k")]
    public void The_number_of_threads_does_not_change_a_bit(string name)
    {
        const int rows = 5;
        const int outputs = 37;
        using var data = new MatMulData(name, rows, outputs, 512);
        byte[][] results = [.. new[] { 1, 2, 3, 7 }.Select(threads =>
        {
            using var pool = new WorkerPool(threads);
            var output = new Span<byte>(data.Arguments.Output, rows * outputs * sizeof(float));
            output.Fill(0xFF);
            MatMulSimdFloat.Multiply(pool, data.Arguments);
            byte[] floats = output.ToArray();
            var rounded = data.Quantize(pool);
            if (MatMulSimdInt8.Supports(data.Arguments.Format)) MatMulSimdInt8.Multiply(pool, data.Arguments, rounded);
            return (byte[])[.. floats, .. output, .. new Span<byte>(rounded.Codes, (int)QuantizedActivations.Bytes(rows, 512))];
        })];
        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    [Theory]
    [InlineData(1e-40f)]
    [InlineData(1e-45f)]
    [InlineData(3e38f)]
    [InlineData(0f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Rounding_agrees_with_its_definition_for_extreme_values(float value)
    {
        using var data = new MatMulData("q8_0", 1, 1, 32);
        new Span<float>(data.Arguments.Input, 32).Fill(value);
        data.Arguments.Input[3] = 0;
        var actual = data.Quantize(_pool);
        byte[] memory = new byte[QuantizedActivations.Bytes(1, 32)];
        fixed (byte* reference = memory)
        {
            var expected = new QuantizedActivations(reference, 1, 32);
            QuantizeReference.Rows(new ReadOnlySpan<float>(data.Arguments.Input, 32), expected);
            Assert.Equal(expected.Scales[0], actual.Scales[0]);
            Assert.Equal(expected.Sums32[0], actual.Sums32[0]);
            Assert.Equal(expected.Sums16[0], actual.Sums16[0]);
            Assert.Equal(expected.Sums16[1], actual.Sums16[1]);
            Assert.Equal(float.IsFinite(value), float.IsFinite(actual.Scales[0]));
            if (float.IsFinite(value)) Assert.Equal(new ReadOnlySpan<sbyte>(expected.Codes, 32), new ReadOnlySpan<sbyte>(actual.Codes, 32));
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_by_the_operation_with_both_shapes()
    {
        using var data = new MatMulData("q4_0", 3, 4, 64);
        using var other = new MatMulData("q4_0", 2, 4, 96);
        var (good, rounded, otherRounded) = (data.Arguments, data.Quantize(_pool), other.Quantize(_pool));
        Refused(() => MatMulSimdInt8.Multiply(_pool, good, otherRounded), "MatMulSimdInt8", "[3, 64]", "[2, 96]");
        Refused(() => MatMulSimdInt8.Multiply(_pool, Sized(good, 3, 4, 80), rounded), "MatMulSimdInt8", "[3, 80]", "[4, 80]", "q4_0");
        Refused(() => MatMulSimdFloat.Multiply(_pool, Sized(good, 3, 4, 80)), "MatMulSimdFloat", "[3, 80]", "[4, 80]", "q4_0");
        Refused(() => MatMulSimdFloat.Multiply(_pool, Sized(good, -1, 4, 64)), "MatMulSimdFloat", "[-1, 64]");
        Refused(() => MatMulSimdFloat.Multiply(_pool, Sized(good, 1, -4, 64)), "MatMulSimdFloat", "[-4, 64]");
        Refused(() => _ = new QuantizedActivations(null, 1, 33), "QuantizedActivations", "[1, 33]");
        Refused(() => _ = new QuantizedActivations(null, -1, 32), "QuantizedActivations", "[-1, 32]");
        Assert.Throws<ArgumentOutOfRangeException>(() => MatMulSimdFloat.Multiply(_pool, good, (SimdLevel)1));

        static MatMulArguments Sized(MatMulArguments of, int rows, int outputs, int columns) => new()
        {
            Format = of.Format,
            Weights = of.Weights,
            Input = of.Input,
            Output = of.Output,
            Rows = rows,
            Outputs = outputs,
            Columns = columns,
        };
    }

    private static void Refused(Action action, string operation, params string[] shapes)
    {
        string message = Assert.Throws<ArgumentException>(action).Message;
        Assert.StartsWith(operation + ":", message, StringComparison.Ordinal);
        Assert.All(shapes, shape => Assert.Contains(shape, message, StringComparison.Ordinal));
    }

    /// <summary>One row, odd numbers of rows and outputs, tails of columns where the format allows them.</summary>
    private static IEnumerable<(int Rows, int Outputs, int Columns)> Shapes(string name)
    {
        int block = Math.Max(Find(name).BlockLength, 1);
        yield return (1, 5, block * 3);
        yield return (3, 4, block * 4);
        yield return (7, 1, block == 1 ? 37 : block);
        yield return (2, 0, block);
        yield return (0, 3, block);
    }

    private static Format Find(string name) => Format.TryParse(name, out var format) ? format : throw new ArgumentException(name);

    private void Multiply(string name, SimdLevel level, int rows = 1, int outputs = 1, int columns = 64)
    {
        using var data = new MatMulData(name, rows, outputs, columns);
        var activations = data.Quantize(_pool);
        MatMulSimdInt8.Multiply(_pool, data.Arguments, activations, level);
        var rounded = new float[rows * columns];
        for (int i = 0; i < rounded.Length; i++) rounded[i] = activations.Scales[i / 32] * activations.Codes[i];
        data.CheckAgainst(rounded, IntegerTolerance);
    }
}
