using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Pooling;

public sealed class RowPoolingTests
{
    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void NaN_and_infinity_reach_the_result_of_their_column(SimdLevel level)
    {
        const int columns = 21;
        for (var row = 0; row < 3; row++)
        {
            var x = Enumerable.Range(0, 3 * columns).Select(i => (float)i).ToArray();
            x[row * columns + 2] = float.NaN;
            x[row * columns + 20] = float.PositiveInfinity;
            float[] max = new float[columns], mean = new float[columns];
            RowPooling.Rows(level, PoolingKind.Max, x, max);
            RowPooling.Rows(level, PoolingKind.Mean, x, mean);
            for (var column = 0; column < columns; column++)
            {
                var special = column switch { 2 => float.NaN, 20 => float.PositiveInfinity, _ => 2 * columns + column };
                Assert.Equal(special, max[column]);
                Assert.Equal(column is 2 or 20 ? special : columns + column, mean[column]);
            }
        }
    }

    [Fact]
    public void Long_mean_keeps_its_precision()
    {
        const int rows = 100_000;
        var x = new float[rows];
        for (var row = 0; row < rows; row++) x[row] = 1 + row % 7 * 0.1f;
        var y = new float[1];
        RowPooling.Rows(PoolingKind.Mean, x, y);
        Assert.Equal(x.Average(value => (double)value), y[0], 3e-6);
    }

    [Fact]
    public void First_and_last_copy_their_row()
    {
        float[] x = [1, 2, 3, 4, 5, 6], y = new float[2];
        RowPooling.Rows(PoolingKind.First, x, y);
        Assert.Equal([1, 2], y);
        RowPooling.Rows(PoolingKind.Last, x, y);
        Assert.Equal([5, 6], y);
    }

    [Fact]
    public void Without_whole_rows_there_is_nothing_to_pool()
    {
        Assert.Throws<ArgumentException>(() => RowPooling.Rows(PoolingKind.Mean, [], new float[2]));
        Assert.Throws<ArgumentException>(() => RowPooling.Rows(PoolingKind.Mean, [1, 2, 3], new float[2]));
        Assert.Throws<ArgumentException>(() => RowPooling.Rows(PoolingKind.Mean, [1, 2, 3], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowPooling.Rows((PoolingKind)9, [1, 2], new float[2]));
    }
}
