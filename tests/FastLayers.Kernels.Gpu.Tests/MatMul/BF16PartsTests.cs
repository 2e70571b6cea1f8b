using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.MatMul;

namespace FastLayers.Kernels.Gpu.Tests.MatMul;

/// <summary>What tensor cores multiply in place of a float must sum to it: nothing of a weight or an activation may be lost.</summary>
public sealed class BF16PartsTests
{
    [Fact]
    public void Two_parts_are_a_half()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float value = GpuF16.ToFloat(bits);
            if (float.IsFinite(value)) Assert.Equal(value, Sum(value, 2));
            else Assert.True(float.IsNaN(Sum(value, 2)));
        }
    }

    [Fact]
    public void Three_parts_are_a_float_and_two_are_not()
    {
        var random = new Random(1);
        int lost = 0;
        for (int i = 0; i < 10_000; i++)
        {
            // Not so small that the last part is below what a float can be.
            float value = BitConverter.Int32BitsToSingle(random.Next(0x0C000000, 0x7F800000)) * (random.Next(2) == 0 ? 1 : -1);
            Assert.Equal(value, Sum(value, 3));
            if (Sum(value, 2) != value) lost++;
        }

        Assert.InRange(lost, 9_000, 10_000);
    }

    [Fact]
    public void Words_have_the_first_value_in_the_lower_half()
    {
        int word = BF16Parts.Pack(1.5f, -2);
        Assert.Equal(1.5f, BitConverter.Int32BitsToSingle(word << 16));
        Assert.Equal(-2, BitConverter.Int32BitsToSingle(word & unchecked((int)0xFFFF0000)));
    }

    /// <summary>The sum of the first parts as the tile stages them.</summary>
    private static float Sum(float value, int parts)
    {
        float sum = 0;
        for (int part = 0; part < parts; part++)
        {
            sum += BitConverter.Int32BitsToSingle(BF16Parts.Pack(value, 0) << 16);
            value = BF16Parts.Rest(value);
        }

        return sum;
    }
}
