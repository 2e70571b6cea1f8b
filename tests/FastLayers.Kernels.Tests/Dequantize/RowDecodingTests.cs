using FastLayers.Kernels.Dequantize;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Tests.Dequantize;

/// <summary>What <see cref="RowDecoding"/> refuses; its values are tested through the catalog.</summary>
public sealed class RowDecodingTests
{
    [Theory]
    [InlineData(18, 64)]
    [InlineData(36, 32)]
    [InlineData(18, 31)]
    [InlineData(0, 32)]
    public void Lengths_that_do_not_fit_together_are_refused(int bytes, int values)
    {
        Assert.Throws<ArgumentException>(() => RowDecoding.ToF16(Format.Q4_0, new byte[bytes], new ushort[values]));
        Assert.Throws<ArgumentException>(() => RowDecoding.ToBF16(Format.Q4_0, new byte[bytes], new ushort[values]));
    }

    [Fact]
    public void Large_values_become_infinite_in_F16_only()
    {
        byte[] bytes = BitConverter.GetBytes(65520f);
        ushort[] half = new ushort[1], brain = new ushort[1];
        RowDecoding.ToF16(Format.F32, bytes, half);
        RowDecoding.ToBF16(Format.F32, bytes, brain);
        Assert.Equal(0x7C00, half[0]);
        Assert.Equal(0x4780, brain[0]);
    }
}
