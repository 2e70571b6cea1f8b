using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Tests.Dequantize;

public class HalfPrecisionTests
{
    private static readonly ushort[] EveryHalf = [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)];

    [Fact]
    public void Every_F16_is_read_exactly()
    {
        float[] row = new float[65536];
        HalfPrecision.DecodeF16(EveryHalf, row);
        foreach (ushort bits in EveryHalf)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf(bits);
            if (float.IsNaN(expected))
            {
                // Sign and payload move along, whether or not the NaN was quiet.
                Assert.Equal((uint)(bits & 0x8000) << 16 | 0x7F800000 | (uint)(bits & 0x3FF) << 13, Bits(row[bits]));
                Assert.Equal(Bits(row[bits]), Bits(HalfPrecision.DecodeF16(bits)));
                continue;
            }
            Assert.Equal(Bits(expected), Bits(row[bits]));
            Assert.Equal(Bits(expected), Bits(HalfPrecision.DecodeF16(bits)));
        }
    }

    [Fact]
    public void Every_BF16_is_read_exactly()
    {
        float[] row = new float[65536];
        HalfPrecision.DecodeBF16(EveryHalf, row);
        foreach (ushort bits in EveryHalf)
        {
            Assert.Equal((uint)bits << 16, Bits(row[bits]));
            Assert.Equal((uint)bits << 16, Bits(HalfPrecision.DecodeBF16(bits)));
        }
    }

    [Fact]
    public void F16_is_written_to_nearest_ties_to_even()
    {
        float[] values = Interesting();
        ushort[] row = new ushort[values.Length];
        HalfPrecision.EncodeF16(values, row);
        for (int i = 0; i < values.Length; i++)
        {
            Half expected = (Half)values[i];
            if (Half.IsNaN(expected))
                Assert.True(Half.IsNaN(BitConverter.UInt16BitsToHalf(row[i])));
            else
                Assert.Equal(BitConverter.HalfToUInt16Bits(expected), row[i]);
            Assert.Equal(row[i], HalfPrecision.EncodeF16(values[i]));
        }
    }

    [Fact]
    public void BF16_is_written_to_nearest_ties_to_even()
    {
        float[] values = Interesting();
        ushort[] row = new ushort[values.Length];
        HalfPrecision.EncodeBF16(values, row);
        for (int i = 0; i < values.Length; i++)
        {
            Assert.Equal(row[i], HalfPrecision.EncodeBF16(values[i]));
            float back = HalfPrecision.DecodeBF16(row[i]);
            if (!float.IsFinite(values[i]))
            {
                Assert.Equal(values[i], back);
                continue;
            }
            // Neighbors of the result are no nearer, and where one is as near the result is even. In double, where 2^128 stands for infinity.
            double error = Math.Abs(Finite(back) - values[i]);
            foreach (int step in new[] { -1, 1 })
            {
                double neighbor = Finite(HalfPrecision.DecodeBF16((ushort)(row[i] + step)));
                double other = Math.Abs(neighbor - values[i]);
                Assert.True(other > error || other == error && (row[i] & 1) == 0 || double.IsNaN(other) || neighbor * values[i] < 0, $"{values[i]:R}");
            }
        }
    }

    [Theory, InlineData(0), InlineData(1), InlineData(15), InlineData(16), InlineData(17), InlineData(33)]
    public void Rows_of_any_length_are_converted_to_their_end_and_no_further(int length)
    {
        ushort[] ones = new ushort[length];
        Array.Fill(ones, (ushort)0x3C00);
        float[] values = new float[length + 1];
        HalfPrecision.DecodeF16(ones, values);
        Assert.Equal([.. Enumerable.Repeat(1f, length), 0f], values);

        ushort[] back = new ushort[length + 1];
        HalfPrecision.EncodeF16(values.AsSpan(0, length), back);
        Assert.Equal([.. ones, 0], back);
    }

    [Fact]
    public void A_short_destination_is_refused()
    {
        Assert.Contains("found 2", Assert.Throws<ArgumentException>("destination", () => HalfPrecision.DecodeF16(new ushort[3], new float[2])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("destination", () => HalfPrecision.DecodeBF16(new ushort[3], new float[2]));
        Assert.Throws<ArgumentException>("destination", () => HalfPrecision.EncodeF16(new float[3], new ushort[2]));
        Assert.Throws<ArgumentException>("destination", () => HalfPrecision.EncodeBF16(new float[3], new ushort[2]));
    }

    /// <summary>Every half, the midpoints to the next one, both sides of the midpoints, the special values and random bits.</summary>
    private static float[] Interesting()
    {
        List<float> values = [float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.Epsilon, 65519.99f, 65520, 65504];
        for (int bits = 0; bits < 0x7C00; bits++)
        {
            float half = (float)BitConverter.UInt16BitsToHalf((ushort)bits), next = (float)BitConverter.UInt16BitsToHalf((ushort)(bits + 1));
            float middle = bits == 0x7BFF ? 65520 : (half + next) / 2;
            values.AddRange([half, -half, middle, -middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)]);
        }
        Random random = new(5);
        for (int i = 0; i < 200_000; i++)
            values.Add(BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)));
        return [.. values];
    }

    private static double Finite(float value) => float.IsInfinity(value) ? Math.CopySign(Math.Pow(2, 128), value) : value;

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}
