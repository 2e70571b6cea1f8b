using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Normalize;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Tests.Normalize;

public sealed class AddNormTests
{
    private static readonly SimdLevel[] s_levels = [SimdLevel.V128, SimdLevel.V256, SimdLevel.V512];

    public static IEnumerable<TheoryDataRow<string, int>> Rows =>
        from content in new[] { "equal", "float", "half", "bfloat16", "one large" }
        from length in new[] { 1, 7, 33, 576, 4096, 16_384 }
        select new TheoryDataRow<string, int>(content, length);

    /// <summary>Equal values are the worst case of a plain sum: all of its roundings go the same way.</summary>
    [Theory]
    [MemberData(nameof(Rows))]
    public void Norm_is_within_a_millionth(string content, int length)
    {
        var random = new Random(5);
        float[] x = [.. Enumerable.Range(0, length).Select(i => Value(content, i, random))], residual = [.. x.Select(value => -0.25f * value)];
        foreach (var level in s_levels)
        {
            float[] sums = [.. x];
            float norm = AddNorm.Row(level, residual, sums);
            double expected = Math.Sqrt(sums.Sum(value => (double)value * value));
            Assert.Equal(expected, norm, 1e-6 * expected);

            float[] added = [.. x];
            RowArithmetic.Add(level, residual, added);
            Assert.Equal(added, sums);
        }
    }

    [Fact]
    public void Infinite_and_undefined_values_show()
    {
        foreach (var level in s_levels)
        {
            float[] zeros = new float[40], x = new float[40];
            Assert.Equal(0, AddNorm.Row(level, zeros, x));
            Assert.Equal(0, AddNorm.Row(level, [], []));
            x[3] = 1;
            x[17] = float.NegativeInfinity;
            Assert.Equal(float.PositiveInfinity, AddNorm.Row(level, zeros, x));
            x[17] = 1e30f;
            Assert.Equal(float.PositiveInfinity, AddNorm.Row(level, zeros, x));
            x[39] = float.NaN;
            Assert.True(float.IsNaN(AddNorm.Row(level, zeros, x)));
        }
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        float[] memory = new float[32];
        Assert.Throws<ArgumentException>(() => AddNorm.Row(memory.AsSpan(0, 15), memory.AsSpan(16, 16)));
        Assert.Throws<ArgumentException>(() => AddNorm.Row(memory.AsSpan(0, 16), memory.AsSpan(8, 16)));
        Assert.Throws<ArgumentOutOfRangeException>(() => AddNorm.Row((SimdLevel)0, memory, memory));
    }

    [Fact]
    public void Residual_norms_refuse_wrong_arguments_and_change_nothing()
    {
        float[] x = [.. Enumerable.Range(0, 32).Select(i => (float)i)], before = [.. x], ones = [.. Enumerable.Repeat(1f, 16)], y = new float[16];
        Assert.Throws<ArgumentException>(() => RmsNorm.ResidualRow(ones.AsSpan(0, 15), x.AsSpan(0, 16), default, 1, y));
        Assert.Throws<ArgumentException>(() => RmsNorm.ResidualRow(ones, x.AsSpan(0, 16), ones.AsSpan(0, 15), 1, y));
        Assert.Throws<ArgumentException>(() => RmsNorm.ResidualRow(ones, x.AsSpan(0, 16), default, 1, y.AsSpan(0, 15)));
        Assert.Throws<ArgumentException>(() => RmsNorm.ResidualRow(ones, x.AsSpan(0, 16), default, 1, x.AsSpan(0, 16)));
        Assert.Throws<ArgumentException>(() => RmsNorm.ResidualRow(x.AsSpan(8, 16), x.AsSpan(0, 16), default, 1, y));
        Assert.Throws<ArgumentException>(() => LayerNorm.ResidualRow(ones, x.AsSpan(0, 16), ones, ones.AsSpan(0, 15), 1, y));
        Assert.Throws<ArgumentException>(() => LayerNorm.ResidualRow(ones, x.AsSpan(0, 16), default, ones, 1, y));
        Assert.Throws<ArgumentException>(() => LayerNorm.ResidualRow(ones, x.AsSpan(0, 16), ones, x.AsSpan(0, 16), 1, y));
        Assert.Throws<ArgumentException>(() => LayerNorm.ResidualRow(ones, x.AsSpan(0, 16), default, default, 1, x.AsSpan(16, 15)));
        Assert.Equal(before, x);
    }

    private static float Value(string content, int index, Random random) => content switch
    {
        "equal" => 0.1f,
        "half" => (float)(Half)((random.NextSingle() - 0.5f) * 8),
        "bfloat16" => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((random.NextSingle() - 0.5f) * 8) & 0xFFFF0000),
        "one large" => index == 0 ? 3000 : random.NextSingle(),
        _ => (random.NextSingle() - 0.5f) * 8,
    };
}
