using FastLayers.Kernels.Pruning;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Tests.Pruning;

public sealed class RowNormsTests
{
    public static TheoryData<SimdLevel, int> Sizes
    {
        get
        {
            var data = new TheoryData<SimdLevel, int>();
            foreach (var level in Enum.GetValues<SimdLevel>())
            {
                foreach (int length in (int[])[1, 7, 16, 33, 1000, 16_384]) data.Add(level, length);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Norms_are_within_a_millionth(SimdLevel level, int length)
    {
        var random = new Random(length);
        float[] x = [.. Enumerable.Range(0, length).Select(_ => 3 * (random.NextSingle() - 0.2f))], y = [.. x.Select(value => value + (0.01f * random.NextSingle()))];
        Assert.Equal(RowNormsReference.Row(x), RowNorms.Row(level, x), 1e-6 * RowNormsReference.Row(x));
        Assert.Equal(RowNormsReference.RelativeChange(x, y), RowNorms.RelativeChange(level, x, y), 1e-6 * RowNormsReference.RelativeChange(x, y));
    }

    [Fact]
    public void Special_values_do_what_the_documentation_says()
    {
        foreach (var level in Enum.GetValues<SimdLevel>())
        {
            Assert.Equal(0, RowNorms.Row(level, []));
            Assert.Equal(5, RowNorms.Row(level, [3, -4]));
            Assert.Equal(float.PositiveInfinity, RowNorms.Row(level, [1, float.NegativeInfinity, 2]));
            Assert.Equal(float.PositiveInfinity, RowNorms.Row(level, [1e20f, 1]));
            Assert.Equal(float.NaN, RowNorms.Row(level, [1, float.NaN]));
            Assert.Equal(0, RowNorms.RelativeChange(level, [0, 0], [0, 0]));
            Assert.Equal(float.PositiveInfinity, RowNorms.RelativeChange(level, [0, 0], [0, 1]));
            Assert.Equal(2, RowNorms.RelativeChange(level, [3, 4], [-3, -4]));
            Assert.Equal(float.PositiveInfinity, RowNorms.RelativeChange(level, [3, 4], [3, 1e30f]));
            Assert.Equal(float.NaN, RowNorms.RelativeChange(level, [float.NaN, 4], [float.NaN, 4]));
        }

        Assert.Throws<ArgumentException>(() => RowNorms.RelativeChange([1, 2], [1]));
    }
}
