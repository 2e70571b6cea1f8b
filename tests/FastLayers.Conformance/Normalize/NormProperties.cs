using FastLayers.Kernels.Normalize;
using FastLayers.Kernels.Simd;
using FsCheck.Xunit;

namespace FastLayers.Conformance.Normalize;

[Properties(Arbitrary = [typeof(AnyRowArbitrary)])]
public sealed class NormProperties
{
    [Property]
    public void Rms_norm_without_epsilon_does_not_depend_on_the_scale(AnyRow row)
    {
        var x = WithoutZeros(row);
        float[] y = new float[x.Length], scaled = new float[x.Length];
        RmsNorm.Row(row.Level, x, default, 0, y);
        RmsNorm.Row(row.Level, [.. x.Select(value => value * 1024)], default, 0, scaled);
        Assert.Equal(y, scaled); // a power of two changes no mantissa
    }

    [Property]
    public void Rms_norm_gives_a_mean_square_of_one(AnyRow row)
    {
        var x = WithoutZeros(row);
        RmsNorm.Row(row.Level, x, default, 0, x);
        Assert.Equal(1, x.Average(value => (double)value * value), 1e-5);
    }

    [Property]
    public void Layer_norm_does_not_depend_on_an_offset(AnyRow row)
    {
        float[] x = [.. row.Values.Select((value, i) => value + i % 3)], y = new float[x.Length], moved = new float[x.Length];
        var offset = x.Max(Math.Abs);
        LayerNorm.Row(row.Level, x, default, default, 1e-5f, y);
        LayerNorm.Row(row.Level, [.. x.Select(value => value + offset)], default, default, 1e-5f, moved);
        for (var i = 0; i < x.Length; i++) Assert.Equal(y[i], moved[i], 1e-3);
    }

    [Property]
    public void Layer_norm_gives_mean_zero_and_then_the_bias(AnyRow row)
    {
        float[] y = new float[row.Values.Length], biased = new float[y.Length];
        float[] ones = [.. y.Select(_ => 1f)], bias = [.. y.Select((_, i) => (float)i)];
        LayerNorm.Row(row.Level, row.Values, default, default, 1e-5f, y);
        LayerNorm.Row(row.Level, row.Values, ones, bias, 1e-5f, biased);
        Assert.Equal(0, y.Average(value => (double)value), 1e-4);
        for (var i = 0; i < y.Length; i++) Assert.Equal(y[i] + i, biased[i], 1e-4);
    }

    [Property]
    public void L2_normalized_row_has_length_one_and_the_same_direction(AnyRow row)
    {
        float[] x = WithoutZeros(row), y = new float[x.Length];
        L2Normalize.Row(row.Level, x, 1e-30f, y);
        Assert.Equal(1, y.Sum(value => (double)value * value), 1e-5);
        Assert.Equal(Math.Sqrt(x.Sum(value => (double)value * value)), x.Zip(y, (a, b) => (double)a * b).Sum(), 1e-5 * x.Sum(Math.Abs));
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Zeros_stay_zeros_and_one_NaN_spoils_the_row(SimdLevel level)
    {
        foreach (var length in new[] { 1, 7, 33, 100 })
        {
            float[] zeros = new float[length], y = new float[length];
            RmsNorm.Row(level, zeros, default, 1e-5f, y);
            Assert.All(y, value => Assert.Equal(0, value));
            LayerNorm.Row(level, zeros, default, default, 1e-5f, y);
            Assert.All(y, value => Assert.Equal(0, value));
            L2Normalize.Row(level, zeros, 1e-12f, y);
            Assert.All(y, value => Assert.Equal(0, value));

            zeros[length / 2] = float.NaN;
            RmsNorm.Row(level, zeros, default, 1e-5f, y);
            Assert.All(y, value => Assert.True(float.IsNaN(value)));
            LayerNorm.Row(level, zeros, default, default, 1e-5f, y);
            Assert.All(y, value => Assert.True(float.IsNaN(value)));
            L2Normalize.Row(level, zeros, 1e-12f, y);
            Assert.All(y, value => Assert.True(float.IsNaN(value)));
        }
    }

    private static float[] WithoutZeros(AnyRow row) => [.. row.Values.Select(value => value == 0 ? 1e-3f : value)];
}
