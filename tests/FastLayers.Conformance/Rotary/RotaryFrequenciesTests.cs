using FastLayers.Kernels.Rotary;

namespace FastLayers.Conformance.Rotary;

/// <summary>Frequencies against values of the Hugging Face formulas, evaluated in double precision by an independent program.</summary>
public sealed class RotaryFrequenciesTests
{
    [Fact]
    public void Plain_frequencies_fall_from_one_by_a_constant_ratio()
    {
        var plain = RotaryFrequencies.Create(64, 10_000);
        Assert.Equal(64, plain.RotatedDimensions);
        Assert.Equal(10_000, plain.Base);
        Assert.Equal(1, plain.Magnitude);
        Assert.Equal(1, plain.Inverse[0]);
        for (var i = 1; i < 32; i++) Assert.Equal(Math.Pow(10_000, -1 / 32.0), plain.Inverse[i] / plain.Inverse[i - 1], 1e-14);
    }

    [Fact]
    public void Linear_scaling_divides() =>
        Assert.Equal(0.25, RotaryFrequencies.Create(8, 100).WithLinearScaling(4).Inverse[0]);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(9, 0.07498942093324558)]
    [InlineData(15, 0.00852684377296741)]
    [InlineData(20, 0.0008817889629315672)]
    [InlineData(25, 4.686838808327849e-05)]
    [InlineData(31, 8.334508951020775e-06)]
    public void Yarn_matches(int pair, double expected)
    {
        var yarn = RotaryFrequencies.Create(64, 10_000).WithYarn(16, 4096);
        Assert.Equal(expected, yarn.Inverse[pair], 1e-13 * expected);
        Assert.Equal(1.2772588722239782, yarn.Magnitude, 1e-14);
    }

    [Theory]
    [InlineData(30, 0.001064360981247002)]
    [InlineData(40, 4.445698525097307e-05)]
    [InlineData(63, 3.102344401879299e-07)]
    public void Yarn_of_Qwen_matches(int pair, double expected)
    {
        var yarn = RotaryFrequencies.Create(128, 1_000_000).WithYarn(4, 32_768);
        Assert.Equal(expected, yarn.Inverse[pair], 1e-13 * expected);
        Assert.Equal(1.138629436111989, yarn.Magnitude, 1e-14);
    }

    [Fact]
    public void Yarn_without_extrapolation_is_linear_scaling_and_takes_a_stated_magnitude()
    {
        var plain = RotaryFrequencies.Create(64, 10_000);
        var yarn = plain.WithYarn(16, 4096, extrapolation: 0);
        Assert.Equal(plain.WithLinearScaling(16).Inverse.ToArray(), yarn.Inverse.ToArray());
        Assert.Equal(1, yarn.Magnitude);
        Assert.Equal(0.75, plain.WithYarn(16, 4096, magnitude: 0.75).Magnitude);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(28, 0.003211445994752591)]
    [InlineData(29, 0.002166570763503359)]
    [InlineData(30, 0.0013718935677611381)]
    [InlineData(32, 0.0005248461609929547)]
    [InlineData(34, 0.0001785078127679964)]
    [InlineData(35, 9.556212353964683e-05)]
    [InlineData(63, 3.068925988914511e-07)]
    public void Llama_3_scaling_matches(int pair, double expected) =>
        Assert.Equal(expected, RotaryFrequencies.Create(128, 500_000).WithLlama3Scaling(8, 8192).Inverse[pair], 1e-13 * expected);

    [Fact]
    public void Factors_divide_pair_by_pair_and_compose_with_linear_scaling()
    {
        var scaled = RotaryFrequencies.Create(4, 100).WithFactors([2, 5]).WithLinearScaling(2).WithMagnitude(1.5);
        Assert.Equal([0.25, 0.01], scaled.Inverse.ToArray());
        Assert.Equal(1.5, scaled.Magnitude);
    }

    [Fact]
    public void Long_rope_magnitude_grows_with_the_extension()
    {
        // Phi-3 mini 128k: √(1 + ln 32 / ln 4096).
        Assert.Equal(1.1902380714238083, RotaryFrequencies.LongRopeMagnitude(131_072, 4096), 1e-14);
        Assert.Equal(1, RotaryFrequencies.LongRopeMagnitude(4096, 4096));
    }

    [Fact]
    public void Fill_writes_magnitude_times_cosine_and_sine()
    {
        float[] cosine = new float[2], sine = new float[2];
        RotaryFrequencies.Create(4, 100).WithMagnitude(2).Fill(3, cosine, sine);
        Assert.Equal([(float)(2 * Math.Cos(3)), (float)(2 * Math.Cos(0.3))], cosine);
        Assert.Equal([(float)(2 * Math.Sin(3)), (float)(2 * Math.Sin(0.3))], sine);
    }

    [Fact]
    public void Far_positions_keep_full_precision()
    {
        float[] cosine = new float[64], sine = new float[64];
        RotaryFrequencies.Create(128, 10_000).Fill(1_000_003, cosine, sine);
        Assert.Equal(-0.87798649f, cosine[0], 2e-7f);
        for (var i = 0; i < 64; i++) Assert.Equal(1, (double)cosine[i] * cosine[i] + (double)sine[i] * sine[i], 2e-7);
    }

    [Fact]
    public void Bad_parameters_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RotaryFrequencies.Create(0, 10_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => RotaryFrequencies.Create(7, 10_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => RotaryFrequencies.Create(8, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => RotaryFrequencies.Create(8, double.NaN));
        var plain = RotaryFrequencies.Create(8, 10_000);
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithLinearScaling(0));
        Assert.Throws<ArgumentException>(() => plain.WithFactors([1, 1, 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithFactors([1, 1, 0, 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithMagnitude(double.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithYarn(0.5, 4096));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithYarn(2, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithYarn(2, 4096, extrapolation: 1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithLlama3Scaling(8, 8192, 4, 4));
        Assert.Throws<ArgumentException>(() => plain.Fill(0, new float[3], new float[4]));
    }
}
