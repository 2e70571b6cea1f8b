using System.Runtime.InteropServices;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Tests.Formats;

/// <summary>What every format promises, whatever its layout.</summary>
public class FormatTests
{
    public static TheoryData<string> AllFormats => new(Format.All.Select(f => f.Name));

    public static TheoryData<string> QuantizedFormats => new(Format.All.Where(f => f.GroupLength > 0).Select(f => f.Name));

    [Theory]
    [InlineData("f32", 0, 1, 4, 32)]
    [InlineData("f16", 1, 1, 2, 16)]
    [InlineData("q4_0", 2, 32, 18, 4.5)]
    [InlineData("q4_1", 3, 32, 20, 5)]
    [InlineData("q5_0", 6, 32, 22, 5.5)]
    [InlineData("q5_1", 7, 32, 24, 6)]
    [InlineData("q8_0", 8, 32, 34, 8.5)]
    [InlineData("q8_1", 9, 32, 36, 9)]
    [InlineData("q2_k", 10, 256, 84, 2.625)]
    [InlineData("q3_k", 11, 256, 110, 3.4375)]
    [InlineData("q4_k", 12, 256, 144, 4.5)]
    [InlineData("q5_k", 13, 256, 176, 5.5)]
    [InlineData("q6_k", 14, 256, 210, 6.5625)]
    [InlineData("q8_k", 15, 256, 292, 9.125)]
    [InlineData("iq4_nl", 20, 32, 18, 4.5)]
    [InlineData("iq4_xs", 23, 256, 136, 4.25)]
    [InlineData("bf16", 30, 1, 2, 16)]
    [InlineData("tq1_0", 34, 256, 54, 1.6875)]
    [InlineData("tq2_0", 35, 256, 66, 2.0625)]
    [InlineData("mxfp4", 39, 32, 17, 4.25)]
    [InlineData("nvfp4", 40, 64, 36, 4.5)]
    [InlineData("q1_0", 41, 128, 18, 1.125)]
    [InlineData("q2_0", 42, 64, 18, 2.25)]
    public void Number_and_sizes(string name, int id, int blockLength, int blockBytes, double bitsPerWeight)
    {
        Format format = Format.FromTypeId(id);
        Assert.Equal(name, format.Name);
        Assert.Equal(name, format.ToString());
        Assert.Equal((id, blockLength, blockBytes, bitsPerWeight), (format.TypeId, format.BlockLength, format.BlockBytes, format.BitsPerWeight));
        Assert.Equal(3L * blockBytes, format.RowBytes(3 * blockLength));
        Assert.True(Format.TryParse(name.ToUpperInvariant(), out Format? parsed));
        Assert.Same(format, parsed);
        Assert.Contains(format, Format.All);
    }

    [Fact]
    public void All_lists_every_property_once_in_the_order_of_numbers()
    {
        Format[] properties = [.. typeof(Format).GetProperties().Where(p => p.PropertyType == typeof(Format)).Select(p => (Format)p.GetValue(null)!)];

        Assert.Equal(properties.OrderBy(f => f.TypeId), Format.All);
        Assert.Equal(23, Format.All.Select(f => f.Name).Distinct().Count());
    }

    [Theory]
    [InlineData(16, "IQ2_XXS")]
    [InlineData(17, "IQ2_XS")]
    [InlineData(18, "IQ3_XXS")]
    [InlineData(19, "IQ1_S")]
    [InlineData(21, "IQ3_S")]
    [InlineData(22, "IQ2_S")]
    [InlineData(29, "IQ1_M")]
    [InlineData(4, "Q4_2")]
    [InlineData(5, "Q4_3")]
    [InlineData(31, "Q4_0_4_4")]
    [InlineData(32, "Q4_0_4_8")]
    [InlineData(33, "Q4_0_8_8")]
    [InlineData(36, "IQ4_NL_4_4")]
    [InlineData(37, "IQ4_NL_4_8")]
    [InlineData(38, "IQ4_NL_8_8")]
    public void Codebook_and_removed_formats_are_refused_by_name(int id, string name)
    {
        Assert.False(Format.TryFromTypeId(id, out _));
        Assert.Contains($"{name} (type {id})", Assert.Throws<NotSupportedException>(() => Format.FromTypeId(id)).Message, StringComparison.Ordinal);
        Assert.False(Format.TryParse(name, out _));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(24)] // a whole-number type, not a tensor format
    [InlineData(43)]
    [InlineData(int.MaxValue)]
    public void Unknown_numbers_are_bad_data(int id) =>
        Assert.Contains($"found {id}", Assert.Throws<InvalidDataException>(() => Format.FromTypeId(id)).Message, StringComparison.Ordinal);

    [Theory, MemberData(nameof(AllFormats))]
    public void Bad_lengths_are_refused_with_what_was_expected_and_found(string name)
    {
        Format format = ReferenceVectors.Get(name);
        byte[] two = new byte[2 * format.BlockBytes];
        float[] values = new float[2 * format.BlockLength];

        Refused("blocks", format.BlockBytes, two.Length - 1, () => format.Decode(two.AsSpan(1), values));
        Refused("values", values.Length, values.Length + 1, () => format.Decode(two, new float[values.Length + 1]));
        Refused("blocks", two.Length, two.Length + 1, () => format.Encode(values, new byte[two.Length + 1]));
        Refused("importance", values.Length, values.Length + 1, () => format.Encode(values, two, new float[values.Length + 1]));
        Refused("blocks", format.BlockBytes, two.Length - 1, () => format.HasFiniteScales(two.AsSpan(1)));
        Refused("columns", format.BlockLength, -format.BlockLength, () => format.RowBytes(-format.BlockLength));
        if (format.BlockLength > 1)
        {
            Refused("values", values.Length, values.Length + 1, () => format.Encode(new float[values.Length + 1], two));
            Refused("columns", format.BlockLength, values.Length + 1, () => format.RowBytes(values.Length + 1));
        }
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Bad_lengths_of_parts_are_refused(string name)
    {
        Format format = ReferenceVectors.Get(name);
        byte[] blocks = new byte[format.BlockBytes];
        sbyte[] codes = new sbyte[format.BlockLength];
        float[] parts = new float[format.BlockLength / format.GroupLength], longer = new float[parts.Length + 1];

        Refused("blocks", format.BlockBytes, blocks.Length - 1, () => format.Unpack(blocks.AsSpan(1), codes, parts, parts));
        Refused("codes", codes.Length, codes.Length + 1, () => format.Unpack(blocks, new sbyte[codes.Length + 1], parts, parts));
        Refused("scales", parts.Length, longer.Length, () => format.Unpack(blocks, codes, longer, parts));
        Refused("minimums", parts.Length, longer.Length, () => format.Unpack(blocks, codes, parts, longer));
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Values_that_are_not_finite_are_refused(string name)
    {
        Format format = ReferenceVectors.Get(name);
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            float[] values = new float[2 * format.BlockLength];
            values[format.BlockLength + 3] = bad;
            ArgumentException refusal = Assert.Throws<ArgumentException>("values", () => format.Encode(values, new byte[2 * format.BlockBytes]));
            Assert.Contains($"value {format.BlockLength + 3}", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(AllFormats))]
    public void A_row_of_zeros_comes_back_and_an_empty_row_is_one(string name)
    {
        Format format = ReferenceVectors.Get(name);
        float[] values = new float[2 * format.BlockLength], decoded = new float[values.Length];
        byte[] blocks = new byte[format.RowBytes(values.Length)];
        Array.Fill(blocks, (byte)0xFF);

        format.Encode(values, blocks);
        format.Decode(blocks, decoded);
        format.Encode([], []);
        format.Decode([], []);

        Assert.All(decoded, value => Assert.Equal(0, value));
        Assert.True(format.HasFiniteScales(blocks));
    }

    [Theory, MemberData(nameof(AllFormats))]
    public void Encoding_what_was_decoded_changes_little(string name)
    {
        Format format = ReferenceVectors.Get(name);
        float[] x = ReferenceVectors.X, once = new float[x.Length], twice = new float[x.Length];
        byte[] blocks = new byte[format.RowBytes(x.Length)];
        format.Encode(x, blocks);
        format.Decode(blocks, once);

        format.Encode(once, blocks);
        format.Decode(blocks, twice);

        Assert.True(SquaredDistance(once, twice) <= SquaredDistance(x, once), $"{name}: the second rounding moved the row further than the first");
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Decoding_any_bytes_gives_the_parts_scaled(string name)
    {
        Format format = ReferenceVectors.Get(name);
        byte[] blocks = new byte[64 * format.BlockBytes];
        new Random(11).NextBytes(blocks);
        float[] values = new float[64 * format.BlockLength];

        format.Decode(blocks, values);

        sbyte[] codes = new sbyte[values.Length];
        float[] scales = new float[values.Length / format.GroupLength], minimums = new float[scales.Length];
        format.UnpackScalar(blocks, codes, scales, minimums);
        for (int i = 0; i < values.Length; i++)
        {
            float expected = scales[i / format.GroupLength] * codes[i] - minimums[i / format.GroupLength];
            Assert.True(float.IsNaN(expected) ? float.IsNaN(values[i]) : Bits(expected) == Bits(values[i]), $"{name}: value {i}");
        }
    }

    // The offset is that of each half in a block of the format.
    [Theory]
    [InlineData("q4_0", 0)]
    [InlineData("q4_1", 0)]
    [InlineData("q4_1", 2)]
    [InlineData("q5_0", 0)]
    [InlineData("q5_1", 0)]
    [InlineData("q5_1", 2)]
    [InlineData("q8_0", 0)]
    [InlineData("q8_1", 0)]
    [InlineData("q8_1", 2)]
    [InlineData("q2_k", 80)]
    [InlineData("q2_k", 82)]
    [InlineData("q3_k", 108)]
    [InlineData("q4_k", 0)]
    [InlineData("q4_k", 2)]
    [InlineData("q5_k", 0)]
    [InlineData("q5_k", 2)]
    [InlineData("q6_k", 208)]
    [InlineData("iq4_nl", 0)]
    [InlineData("iq4_xs", 0)]
    [InlineData("tq1_0", 52)]
    [InlineData("tq2_0", 64)]
    [InlineData("q1_0", 0)]
    [InlineData("q2_0", 0)]
    public void Halves_that_are_not_finite_are_found(string name, int offset)
    {
        Format format = ReferenceVectors.Get(name);
        foreach (ushort bad in new ushort[] { 0x7C00, 0xFC00, 0x7E00, 0xFFFF, 0x7C01 })
        {
            byte[] blocks = new byte[3 * format.BlockBytes];
            Assert.True(format.HasFiniteScales(blocks));
            MemoryMarshal.Write(blocks.AsSpan(2 * format.BlockBytes + offset), bad);
            Assert.False(format.HasFiniteScales(blocks));
            MemoryMarshal.Write(blocks.AsSpan(2 * format.BlockBytes + offset), (ushort)(bad & 0xFBFF));
            Assert.True(format.HasFiniteScales(blocks));
        }
    }

    [Fact]
    public void Scales_of_other_kinds_that_are_not_finite_are_found()
    {
        byte[] q8 = new byte[292], mx = new byte[17], nv = new byte[36];
        MemoryMarshal.Write(q8, float.NaN);
        Assert.False(Format.Q8_K.HasFiniteScales(q8));
        MemoryMarshal.Write(q8, float.NegativeInfinity);
        Assert.False(Format.Q8_K.HasFiniteScales(q8));
        MemoryMarshal.Write(q8, float.MaxValue);
        Assert.True(Format.Q8_K.HasFiniteScales(q8));
        mx[0] = 255;
        Assert.False(Format.MXFP4.HasFiniteScales(mx));
        mx[0] = 254;
        Assert.True(Format.MXFP4.HasFiniteScales(mx));
        Array.Fill(nv, (byte)0x7F);
        Assert.True(Format.NVFP4.HasFiniteScales(nv));
    }

    [Theory, InlineData("q4_0"), InlineData("q4_k"), InlineData("q6_k"), InlineData("iq4_xs"), InlineData("q8_0")]
    public void Values_beyond_the_scales_of_a_format_can_be_told(string name)
    {
        Format format = ReferenceVectors.Get(name);
        float[] values = new float[format.BlockLength];
        Array.Fill(values, 1e30f);
        byte[] blocks = new byte[format.BlockBytes];

        format.Encode(values, blocks);

        Assert.False(format.HasFiniteScales(blocks));
    }

    [Fact]
    public void Activation_codes_round_halves_as_their_format_says()
    {
        float[] ties = new float[256];
        new[] { 127f, 0.5f, -0.5f, 1.5f, -2.5f, 0.49999997f, 126.5f, -126.5f }.CopyTo(ties, 0);
        byte[] q8_0 = new byte[34], q8_1 = new byte[36], q8_k = new byte[292];
        Format.Q8_0.Encode(ties.AsSpan(0, 32), q8_0);
        Format.Q8_1.Encode(ties.AsSpan(0, 32), q8_1);
        Format.Q8_K.Encode(ties, q8_k);

        sbyte[] away = [127, 1, -1, 2, -3, 0, 127, -127];
        Assert.Equal(away, MemoryMarshal.Cast<byte, sbyte>(q8_0.AsSpan(2, 8)).ToArray());
        Assert.Equal(away, MemoryMarshal.Cast<byte, sbyte>(q8_1.AsSpan(4, 8)).ToArray());
        Assert.Equal(away.Sum(code => code), (float)MemoryMarshal.Read<Half>(q8_1.AsSpan(2)));
        // The extreme value becomes -127, so that all signs are turned.
        Assert.Equal(new sbyte[] { -127, 0, 0, -2, 2, 0, -126, 126 }, MemoryMarshal.Cast<byte, sbyte>(q8_k.AsSpan(4, 8)).ToArray());
    }

    [Fact]
    public void Values_too_small_for_a_scale_get_codes_of_zero()
    {
        float[] tiny = new float[256];
        Array.Fill(tiny, 1e-40f);
        byte[] blocks = new byte[292];
        Format.Q8_K.Encode(tiny, blocks);
        Assert.All(blocks, part => Assert.Equal(0, part));
    }

    private static void Refused(string parameter, long expected, long found, Action action)
    {
        string message = Assert.Throws<ArgumentException>(parameter, action).Message;
        Assert.Contains(expected.ToString(System.Globalization.CultureInfo.InvariantCulture), message, StringComparison.Ordinal);
        Assert.Contains($"found {found}", message, StringComparison.Ordinal);
    }

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static double SquaredDistance(float[] x, float[] y) => x.Zip(y, (a, b) => ((double)a - b) * ((double)a - b)).Sum();
}
