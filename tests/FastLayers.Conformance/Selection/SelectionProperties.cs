using FastLayers.Kernels.Selection;
using FastLayers.Kernels.Simd;
using FsCheck.Xunit;

namespace FastLayers.Conformance.Selection;

[Properties(Arbitrary = [typeof(AnyRowArbitrary)])]
public sealed class SelectionProperties
{
    [Property]
    public void Top_k_is_a_stable_sort(AnyRow row, byte wanted)
    {
        // Coarse values, so that many are equal.
        float[] x = [.. row.Values.Select(value => MathF.Round(value % 4 * 4) / 4)];
        var k = wanted % (x.Length + 3);
        int[] indices = new int[k];
        float[] values = new float[k];
        var count = TopK.Row(row.Level, x, indices, values);
        var expected = Enumerable.Range(0, x.Length).OrderByDescending(i => x[i]).ThenBy(i => i).Take(k).ToArray();
        Assert.Equal(expected.Length, count);
        Assert.Equal(expected, indices[..count]);
        Assert.Equal(expected.Select(i => x[i]), values[..count]);
        Assert.All(indices[count..], index => Assert.Equal(-1, index));
        Assert.All(values[count..], value => Assert.Equal(float.NegativeInfinity, value));
    }

    [Property]
    public void Arg_max_is_the_first_of_top_k(AnyRow row)
    {
        int[] indices = new int[1];
        TopK.Row(row.Level, row.Values, indices, new float[1]);
        Assert.Equal(indices[0], ArgMax.Row(row.Level, row.Values));
    }

    [Property]
    public void Renormalized_weights_sum_to_one_and_shares_to_less(AnyRow row, byte wanted)
    {
        var k = 1 + wanted % row.Values.Length;
        int[] experts = new int[k], same = new int[k];
        float[] weights = new float[k], shares = new float[k];
        Assert.Equal(k, ExpertRouting.Row(row.Level, row.Values, true, experts, weights));
        Assert.Equal(k, ExpertRouting.Row(row.Level, row.Values, false, same, shares));
        Assert.Equal(experts, same);
        Assert.Equal(1, weights.Sum(weight => (double)weight), 1e-6);
        var total = shares.Sum(share => (double)share);
        Assert.InRange(total, 0, 1 + 1e-6);
        for (var i = 0; i < k; i++) Assert.Equal(weights[i], shares[i] / total, 1e-5);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void NaN_is_never_chosen(SimdLevel level)
    {
        foreach (var length in new[] { 1, 5, 16, 40, 77 })
        {
            var x = new float[length];
            Array.Fill(x, float.NaN);
            int[] indices = [7, 7];
            float[] values = [7, 7];
            Assert.Equal(-1, ArgMax.Row(level, x));
            Assert.Equal(0, TopK.Row(level, x, indices, values));
            Assert.Equal([-1, -1], indices);
            Assert.Equal(0, ExpertRouting.Row(level, x, true, indices, values));
            Assert.Equal([0f, 0f], values);

            x[length - 1] = float.NegativeInfinity;
            Assert.Equal(length - 1, ArgMax.Row(level, x));
            Assert.Equal(1, TopK.Row(level, x, indices, values));
            Assert.Equal([length - 1, -1], indices);
        }
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Equal_values_and_signed_zeros_go_to_the_lowest_index(SimdLevel level)
    {
        for (var start = 0; start < 40; start++)
        {
            var x = Enumerable.Repeat(-1f, 50).ToArray();
            x[start] = -0f;
            x[start + 5] = 0;
            x[start + 9] = 0;
            int[] indices = new int[2];
            Assert.Equal(start, ArgMax.Row(level, x));
            TopK.Row(level, x, indices, new float[2]);
            Assert.Equal([start, start + 5], indices);
        }
    }

    [Fact]
    public void Empty_row_has_no_maximum() => Assert.Equal(-1, ArgMax.Row([]));

    [Fact]
    public void NaN_logit_spoils_shares_but_not_renormalized_weights()
    {
        int[] experts = new int[2];
        float[] weights = new float[2];
        ExpertRouting.Row([1, float.NaN, 1], true, experts, weights);
        Assert.Equal([0.5f, 0.5f], weights);
        ExpertRouting.Row([1, float.NaN, 1], false, experts, weights);
        Assert.Equal([float.NaN, float.NaN], weights);
    }
}
