using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Simd;
using FsCheck.Xunit;

namespace FastLayers.Conformance.Activation;

[Properties(Arbitrary = [typeof(AnyRowArbitrary)])]
public sealed class SoftmaxProperties
{
    [Property]
    public void Shares_sum_to_one_and_are_not_negative(AnyRow row)
    {
        var y = new float[row.Values.Length];
        Softmax.Row(row.Level, row.Values, 1, y);
        Assert.Equal(1, y.Sum(value => (double)value), 1e-6);
        Assert.All(y, value => Assert.InRange(value, 0, 1));
    }

    [Property]
    public void Larger_values_never_get_smaller_shares(AnyRow row)
    {
        var y = new float[row.Values.Length];
        Softmax.Row(row.Level, row.Values, 1, y);
        float[] x = [.. row.Values];
        Array.Sort(x, y);
        for (var i = 1; i < y.Length; i++) Assert.True(y[i] >= y[i - 1] * (1 - 1e-6f));
    }

    [Property]
    public void Negative_scale_reverses_the_row(AnyRow row)
    {
        float[] y = new float[row.Values.Length], negated = new float[y.Length];
        Softmax.Row(row.Level, row.Values, -0.5f, y);
        Softmax.Row(row.Level, [.. row.Values.Select(value => -value)], 0.5f, negated);
        Assert.Equal(negated, y);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Special_values_do_what_the_documentation_says(SimdLevel level)
    {
        var inf = float.PositiveInfinity;
        Assert.Equal([0.5f, 0, 0.5f], Run(3, -inf, 3));
        Assert.Equal([1f], Run(-1000));
        Assert.Equal([float.NaN, float.NaN], Run(-inf, -inf));
        Assert.All(Run(1, inf, 2), value => Assert.True(float.IsNaN(value)));
        Assert.All(Run([.. Enumerable.Range(0, 40).Select(i => i == 37 ? float.NaN : i)]), value => Assert.True(float.IsNaN(value)));
        Assert.Empty(Run());

        float[] Run(params float[] x)
        {
            Softmax.Row(level, x, 1, x);
            return x;
        }
    }
}
