using System.Runtime.InteropServices;
using System.Text.Json;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Tests.Formats;

/// <summary>Every format against what ggml wrote and read.</summary>
public class FormatReferenceTests
{
    public static TheoryData<string> Formats => new(ReferenceVectors.Formats);

    public static TheoryData<string> FixedRuleFormats => new(ReferenceVectors.Formats.Except(ReferenceVectors.SearchedFormats));

    [Theory, MemberData(nameof(Formats))]
    public void Decoding_is_bit_equal(string name)
    {
        float[] expected = ReferenceVectors.Decoded(name);
        float[] actual = new float[expected.Length];

        ReferenceVectors.Get(name).Decode(ReferenceVectors.Blocks(name), actual);

        Assert.Equal(MemoryMarshal.Cast<float, uint>(expected).ToArray(), MemoryMarshal.Cast<float, uint>(actual).ToArray());
    }

    [Theory, MemberData(nameof(FixedRuleFormats))]
    public void Encoding_by_a_fixed_rule_is_byte_equal(string name)
    {
        byte[] expected = ReferenceVectors.Blocks(name);
        byte[] actual = new byte[expected.Length];

        ReferenceVectors.Get(name).Encode(ReferenceVectors.X, actual);

        Assert.Equal(expected, actual);
    }

    [Theory, InlineData("q8_0"), InlineData("q8_1"), InlineData("q8_k")]
    public void Encoding_activations_is_byte_equal(string name)
    {
        byte[] expected = ReferenceVectors.Activation(name);
        byte[] actual = new byte[expected.Length];

        ReferenceVectors.Get(name).Encode(ReferenceVectors.Y, actual);

        Assert.Equal(expected, actual);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Dot_product_of_the_decoded_row_is_reproduced(string name)
    {
        Format format = ReferenceVectors.Get(name);
        JsonElement entry = IndexEntry(format);
        float[] x = new float[4096], y = ReferenceVectors.Y;
        format.Decode(ReferenceVectors.Blocks(name), x);

        double dot = 0;
        for (int i = 0; i < x.Length; i++)
            dot += (double)x[i] * y[i];

        // The order of summation is the only difference allowed.
        Assert.Equal(entry.GetProperty("dot_dequant_x_y_f64").GetDouble(), dot, 1e-9);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Sizes_are_those_of_ggml(string name)
    {
        Format format = ReferenceVectors.Get(name);
        JsonElement entry = IndexEntry(format);

        Assert.Equal(entry.GetProperty("ggml_type").GetInt32(), format.TypeId);
        Assert.Equal(entry.GetProperty("block").GetInt32(), format.BlockLength);
        Assert.Equal(entry.GetProperty("block_bytes").GetInt32(), format.BlockBytes);
        Assert.Equal(entry.GetProperty("bytes").GetInt64(), format.RowBytes(4096));
    }

    [Fact]
    public void Every_type_of_the_reference_is_read_or_refused_by_name()
    {
        foreach (JsonElement entry in ReferenceVectors.Index())
        {
            string name = entry.GetProperty("name").GetString()!;
            int id = entry.GetProperty("ggml_type").GetInt32();
            if (Format.TryFromTypeId(id, out Format? format))
                Assert.Equal(name, format.Name, ignoreCase: true);
            else
                Assert.Contains(name, Assert.Throws<NotSupportedException>(() => Format.FromTypeId(id)).Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static JsonElement IndexEntry(Format format) =>
        ReferenceVectors.Index().Single(e => string.Equals(e.GetProperty("name").GetString(), format.Name, StringComparison.OrdinalIgnoreCase));
}
