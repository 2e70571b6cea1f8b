using FastLayers.Kernels.GroupedAffine;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.GroupedAffine;

/// <summary>Decoding rows, and sharing a product among threads.</summary>
public sealed unsafe class GroupedMatMulTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    public void Decoded_row_is_the_scaled_difference_of_code_and_zero(int bits)
    {
        var layout = new GroupedAffineLayout(bits, 1, 96, 40);
        var random = new Random(bits);
        int[] codes = [.. Enumerable.Range(0, layout.WordCount).Select(_ => random.Next(int.MinValue, int.MaxValue))];
        float[] scales = [0.5f, 0.25f, 3], zeros = [1.5f, 0, 2], values = new float[96];
        fixed (int* c = codes)
        fixed (float* s = scales, z = zeros, v = values)
            GroupedMatMulSimd.DecodeRow(layout, c, s, z, v);
        for (int k = 0; k < 96; k++) Assert.Equal(scales[k / 40] * (GroupedAffineLayout.ReadCode(codes, bits, k) - zeros[k / 40]), values[k]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    public void Written_codes_are_read_again(int bits)
    {
        int[] words = new int[bits * 3];
        for (int k = 0; k < 96; k++) GroupedAffineLayout.WriteCode(words, bits, k, (k * 5) & ((1 << bits) - 1));
        for (int k = 0; k < 96; k++) Assert.Equal((k * 5) & ((1 << bits) - 1), GroupedAffineLayout.ReadCode(words, bits, k));
    }

    [Fact]
    public void Threads_do_not_change_the_result()
    {
        float[] one = Product(1), three = Product(3);
        Assert.Equal(one, three);
        Assert.DoesNotContain(0f, one);
    }

    private static float[] Product(int threads)
    {
        var layout = new GroupedAffineLayout(4, 19, 64, 32);
        var random = new Random(1);
        int[] codes = [.. Enumerable.Range(0, layout.WordCount).Select(_ => random.Next())], order = [.. Enumerable.Range(0, 64).Reverse()];
        float[] scales = [.. Enumerable.Range(0, layout.GroupCount).Select(_ => random.NextSingle())], zeros = new float[layout.GroupCount];
        float[] x = [.. Enumerable.Range(0, 2 * 64).Select(_ => random.NextSingle())], y = new float[2 * 19];
        using var pool = new WorkerPool(threads);
        fixed (int* c = codes, o = order)
        fixed (float* s = scales, z = zeros, input = x, output = y)
            GroupedMatMulSimd.Multiply(pool, new GroupedMatMulArguments { Layout = layout, Codes = c, Scales = s, Zeros = z, Order = o, Input = input, Output = output, Rows = 2 });
        return y;
    }
}
