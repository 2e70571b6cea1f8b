using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Simd;

public sealed class SimdDispatchTests
{
    [Theory]
    [InlineData("128", SimdLevel.V128)]
    [InlineData("256", SimdLevel.V256)]
    [InlineData("512", SimdLevel.V512)]
    public void Variable_forces_a_width(string value, SimdLevel expected) => Assert.Equal(expected, SimdDispatch.Choose(value));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_variable_the_hardware_decides(string? value) => Assert.Equal(SimdDispatch.Widest, SimdDispatch.Choose(value));

    [Theory]
    [InlineData("avx2")]
    [InlineData("1024")]
    [InlineData(" 256")]
    public void Other_values_are_refused_by_name(string value)
    {
        var message = Assert.Throws<InvalidOperationException>(() => SimdDispatch.Choose(value)).Message;
        Assert.Contains("FASTLAYERS_SIMD", message, StringComparison.Ordinal);
        Assert.Contains($"'{value}'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Process_runs_at_the_forced_or_the_widest_level() =>
        Assert.Equal(SimdDispatch.Choose(Environment.GetEnvironmentVariable(SimdDispatch.Variable)), SimdDispatch.Level);
}
