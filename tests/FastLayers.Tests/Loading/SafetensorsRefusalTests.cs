using FastLayers.Fuzz;
using FastLayers.Loading;

namespace FastLayers.Tests.Loading;

public sealed class SafetensorsRefusalTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_that_is_cut_anywhere()
    {
        var whole = SafetensorsSeeds.EveryType();
        for (var length = 0; length < whole.Length; length++) Refused(whole[..length], "expected");
    }

    [Theory]
    [InlineData(9UL, "header length: expected at most 8 bytes, found 9")]
    [InlineData(1UL << 63, "header length: expected at most 8 bytes, found 9223372036854775808")]
    [InlineData(ulong.MaxValue, "header length: expected at most 8 bytes, found 18446744073709551615")]
    public void A_header_longer_than_the_file(ulong length, string part) => Refused([.. BitConverter.GetBytes(length), .. "{}      "u8], part);

    [Fact]
    public void A_header_longer_than_the_format_allows()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The file would not be sparse here.");
        var path = _folder.Write("x.safetensors", BitConverter.GetBytes(100_000_001UL));
        using (var stream = File.OpenWrite(path)) stream.SetLength(200_000_000);
        Assert.Contains("header length: expected at most 100000000 bytes, found 100000001", Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "header: expected JSON")]
    [InlineData("[]", "header: expected a JSON object, found a JSON Array")]
    [InlineData("""{"w":1}""", "'w': expected a JSON object, found a JSON Number")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "each key once")]
    [InlineData("""{"w":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", "each key once")]
    [InlineData("""{"w":{"shape":[2],"data_offsets":[0,8]}}""", "tensor 'w': expected 'dtype', found a tensor without it")]
    [InlineData("""{"w":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", "tensor 'w' dtype: expected a JSON String, found a JSON Number")]
    [InlineData("""{"w":{"dtype":"F32","data_offsets":[0,8]}}""", "tensor 'w': expected 'shape'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2]}}""", "tensor 'w': expected 'data_offsets'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "tensor 'w' shape: expected integers from 0 to 2^63-1, found '-2'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "tensor 'w' shape: expected integers from 0 to 2^63-1, found '2.5'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[18446744073709551618],"data_offsets":[0,8]}}""", "tensor 'w' shape: expected integers")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", "tensor 'w' shape: expected fewer than 2^63 values")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}""", "tensor 'w' data_offsets: expected 18446744073709551616 bytes for F32")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}}""", "tensor 'w' data_offsets: expected 8 bytes for F32 [2], found 7")]
    [InlineData("""{"w":{"dtype":"I64","shape":[2],"data_offsets":[0,8]}}""", "tensor 'w' data_offsets: expected 16 bytes for I64 [2], found 8")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "tensor 'w' data_offsets: expected a start and an end not before it, found [8, 0]")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,16]}}""", "found [0, 8, 16]")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "tensor 'w' bytes: expected an end within the 8 bytes of the data section, found 4 + 8")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "tensor 'w' bytes: expected a start at 0, where the tensor before ends, found 4")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "data section: expected 4 bytes, the end of the last tensor, found 8")]
    [InlineData("""{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "tensor 'w' bytes: expected a start at or after 8, the end of tensor 'v', found 4")]
    [InlineData("""{"__metadata__":{"a":1},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "metadata 'a': expected a text, found a JSON Number")]
    [InlineData("""{"__metadata__":{"a":"\ud800"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "valid Unicode")]
    public void A_header_that_is_not_valid(string header, string part) => Refused(SafetensorsBytes.Raw(header, new byte[8]), part);

    [Fact]
    public void A_shape_of_countless_axes() =>
        Refused(SafetensorsBytes.Raw($$$"""{"w":{"dtype":"F32","shape":[{{{string.Join(',', Enumerable.Repeat(1, 1000))}}}],"data_offsets":[0,4]}}""", new byte[4]), "tensor 'w' shape: expected at most 64 numbers, found 1000");

    [Fact]
    public void Nesting_without_end() => Refused(SafetensorsBytes.Raw("{\"w\":" + new string('[', 100_000), []), "header: expected JSON");

    [Fact]
    public void Bytes_that_are_not_UTF8() => Refused([.. BitConverter.GetBytes(8UL), .. "{\""u8, 0xC3, 0x28, .. "\":1}"u8], "header: expected JSON in UTF-8");

    private void Refused(byte[] bytes, string part)
    {
        var path = _folder.Write("x.safetensors", bytes);
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message;
        Assert.StartsWith(path + ": ", message, StringComparison.Ordinal);
        Assert.Contains(part, message, StringComparison.Ordinal);
    }
}
