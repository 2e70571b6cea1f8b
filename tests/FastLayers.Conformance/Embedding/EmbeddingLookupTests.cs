using FastLayers.Kernels.Embedding;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Embedding;

public sealed unsafe class EmbeddingLookupTests
{
    public static IEnumerable<TheoryDataRow<string>> Formats => Format.All.Select(format => new TheoryDataRow<string>(format.Name));

    [Theory]
    [MemberData(nameof(Formats))]
    public void With_scale_one_the_row_is_the_decoded_row(string name)
    {
        Assert.True(Format.TryParse(name, out var format));
        const int columns = 1280;
        var values = Enumerable.Range(0, columns).Select(i => MathF.Sin(i * i)).ToArray();
        var bytes = new byte[format.RowBytes(columns)];
        format.Encode(values, bytes);
        format.Decode(bytes, values);
        foreach (var level in Enum.GetValues<SimdLevel>())
        {
            var y = new float[columns];
            EmbeddingLookup.Row(level, format, bytes, 1, y);
            Assert.Equal(values, y);
        }
    }

    [Fact]
    public void Rows_are_taken_by_token_in_any_order()
    {
        float[] table = [1, 2, 3, 4, 5, 6], y = new float[6];
        fixed (float* first = table) EmbeddingLookup.Rows(Format.F32, (byte*)first, 3, [2, 0, 2], 10, y);
        Assert.Equal([50, 60, 10, 20, 50, 60], y);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void Token_outside_the_table_is_refused(int token)
    {
        var message = Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            var table = stackalloc float[6];
            EmbeddingLookup.Rows(Format.F32, (byte*)table, 3, [0, token], 1, new float[4]);
        }).Message;
        Assert.StartsWith("EmbeddingLookup: token 1", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var table = stackalloc float[64];
        var address = (nint)table;
        Assert.Throws<ArgumentException>(() => EmbeddingLookup.Row(Format.F32, new byte[7], 1, new float[2]));
        Assert.Throws<ArgumentException>(() => EmbeddingLookup.Row(Format.Q4_0, new byte[18], 1, new float[31]));
        Assert.Throws<ArgumentException>(() => EmbeddingLookup.Rows(Format.F32, (byte*)address, 3, [0, 1], 1, new float[3]));
        Assert.Throws<ArgumentException>(() => EmbeddingLookup.Rows(Format.F32, (byte*)address, 3, [], 1, new float[3]));
        Assert.Throws<ArgumentException>(() => EmbeddingLookup.Rows(Format.Q4_0, (byte*)address, 3, [0], 1, new float[31]));
    }
}
