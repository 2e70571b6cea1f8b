using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance;

/// <summary>The comparison itself: kernels that are wrong on purpose must be found out.</summary>
public sealed class KernelCheckTests
{
    [Fact]
    public void Right_kernel_passes() => Assert.Null(Check(arguments => Copy(arguments)).Failure);

    [Fact]
    public void Error_within_the_tolerance_passes_and_is_reported()
    {
        var outcome = Check(arguments => Copy(arguments, 1 + 1e-4f));
        Assert.Null(outcome.Failure);
        Assert.InRange(outcome.Error, 0.9e-8, 1.1e-8);
    }

    [Fact]
    public void Error_beyond_the_tolerance_fails() =>
        Assert.Contains("error", Check(arguments => Copy(arguments, 1.01f)).Failure, StringComparison.Ordinal);

    [Fact]
    public void Forgotten_output_fails() => Assert.NotNull(Check(_ => { }).Failure);

    [Fact]
    public void Changed_input_fails() => Assert.Contains(
        "changed the input 'x'",
        Check(arguments =>
        {
            Copy(arguments);
            arguments.Floats("x")[3] += 1;
        }).Failure,
        StringComparison.Ordinal);

    [Theory]
    [InlineData(-1)]
    [InlineData(7)]
    public void Write_beside_the_output_fails(int place) => Assert.Contains(
        "beside buffer 'y'",
        Check(arguments =>
        {
            Copy(arguments);
            unsafe
            {
                ((float*)arguments["y"].Pointer)[place] = 0;
            }
        }).Failure,
        StringComparison.Ordinal);

    [Fact]
    public void Wrong_integer_fails() => Assert.Contains(
        "'index' differs",
        Check(arguments =>
        {
            Copy(arguments);
            arguments.Ints("index")[0] = 6;
        }).Failure,
        StringComparison.Ordinal);

    [Theory]
    [InlineData(float.NaN, 1f)]
    [InlineData(1f, float.NaN)]
    [InlineData(float.PositiveInfinity, float.NegativeInfinity)]
    [InlineData(float.MaxValue, float.PositiveInfinity)]
    [InlineData(1e-30f, 0f)]
    public void Values_that_cannot_be_compared_give_an_infinite_error(float actual, float reference) =>
        Assert.Equal(double.PositiveInfinity, KernelCheck.Error([actual], [reference]));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(0f)]
    public void Equal_special_values_give_no_error(float value) => Assert.Equal(0, KernelCheck.Error([value], [value]));

    [Fact]
    public void Buffers_are_aligned_and_guarded_by_NaN()
    {
        var arguments = Operation(_ => { }).Prepare(new(), 1);
        foreach (var buffer in arguments.Buffers)
        {
            unsafe
            {
                Assert.Equal(0u, (nuint)buffer.Pointer % 64);
                Assert.True(float.IsNaN(((float*)buffer.Pointer)[-1]));
                Assert.True(float.IsNaN(((float*)buffer.Pointer)[buffer.Length]));
            }
        }
    }

    [Fact]
    public void Wrong_element_type_is_refused()
    {
        var arguments = Operation(_ => { }).Prepare(new(), 1);
        Assert.Throws<InvalidOperationException>(() => { arguments.Ints("x"); });
        Assert.Throws<ArgumentException>(() => { arguments.Floats("z"); });
        Assert.Throws<ArgumentException>(() => { arguments.Add<double>("d", KernelBufferRole.Input, 1); });
        Assert.Throws<ArgumentException>(() => { arguments.Add<float>("x", KernelBufferRole.Input, 1); });
    }

    private static KernelOutcome Check(Action<KernelArguments> kernel) =>
        KernelCheck.Run(new CpuKernelRunner(SimdLevel.V128), Operation(kernel), new(), 1);

    private static KernelOperation Operation(Action<KernelArguments> kernel) => new()
    {
        Name = "Copy",
        Definition = "y = x",
        Shapes = [new()],
        Tolerance = 1e-6,
        ToleranceReason = "None.",
        BytesMoved = _ => 56,
        OperationCount = _ => 0,
        Fill = arguments =>
        {
            arguments.AddNoise("x", 7);
            arguments.Add<float>("y", KernelBufferRole.Output, 7);
            arguments.Add<int>("index", KernelBufferRole.Output, 1);
        },
        Reference = arguments => Copy(arguments),
        Simd = (_, arguments) => kernel(arguments),
    };

    private static void Copy(KernelArguments arguments, float factor = 1)
    {
        for (var i = 0; i < 7; i++) arguments.Floats("y")[i] = factor * arguments.Floats("x")[i];
        arguments.Ints("index")[0] = 5;
    }
}
