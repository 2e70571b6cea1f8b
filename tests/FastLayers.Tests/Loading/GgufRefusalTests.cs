using FastLayers.Fuzz;
using FastLayers.Loading;

namespace FastLayers.Tests.Loading;

public sealed class GgufRefusalTests : IDisposable
{
    private const uint F32 = 0, Q4_0 = 2, U32 = 4, Flag = 7, Text = 8, List = 9;

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_empty_file() => Refused([], "length: expected a model file, found an empty file");

    [Fact]
    public void A_missing_file()
    {
        var path = _folder.PathOf("none.gguf");
        Assert.Contains(path, Assert.Throws<FileNotFoundException>(() => ModelFile.Open(path)).Message, StringComparison.Ordinal);
        Assert.Contains(path, Assert.Throws<FileNotFoundException>(() => new GgufFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_anywhere()
    {
        var whole = GgufBytes.Start(tensorCount: 2, entryCount: 2)
            .Text("a").U32(U32).U32(1)
            .Text("b").U32(List).U32(Text).U64(2).Text("x").Text("yz")
            .Tensor("v", [32], Q4_0, 0).Tensor("w", [4], F32, 32).Data(48).ToArray();
        for (var length = 0; length < whole.Length; length++) Refused(whole[..length], "expected");
        using var model = ModelFile.Open(_folder.Write("whole.gguf", whole));
        Assert.Equal(2, model.Tensors.Count);
    }

    [Theory]
    [InlineData("GGUX", "magic: expected 'GGUF', found 'GGUX'")]
    [InlineData("FUGG", "found 'FUGG', a big-endian file")]
    [InlineData("lmgg", "before GGUF")]
    [InlineData("tjgg", "before GGUF")]
    [InlineData("PK\u0003\u0004", "found 'PK\\u0003\\u0004'")]
    public void Another_magic(string magic, string message) =>
        Refused([.. System.Text.Encoding.Latin1.GetBytes(magic), .. new byte[40]], message);

    [Theory]
    [InlineData(1u, "found version 1, which has 32-bit lengths")]
    [InlineData(0x03000000u, "found a big-endian file")]
    [InlineData(4u, "version: expected 2 or 3, little-endian, found 4")]
    [InlineData(0u, "found 0")]
    public void Another_version(uint version, string message) => Refused(GgufBytes.Start(version: version).Data(64).ToArray(), message);

    [Theory]
    [InlineData(1UL << 63)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 32)]
    [InlineData(8UL)]
    public void More_metadata_or_tensors_than_the_file_can_hold(ulong count)
    {
        Refused(GgufBytes.Start(entryCount: count).Raw(new byte[72]).ToArray(), "metadata count: expected at most 5 in the 72 bytes that are left, found " + count);
        Refused(GgufBytes.Start(tensorCount: count).Raw(new byte[72]).ToArray(), "tensor count: expected at most 2 in the bytes after the metadata, found " + count);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    [InlineData(1UL << 31)]
    [InlineData(53UL)]
    public void A_text_longer_than_the_file(ulong length)
    {
        Refused(GgufBytes.Start(entryCount: 1).U64(length).Raw(new byte[52]).ToArray(), "metadata key: expected a text of at most 52 bytes at offset 32, found " + length);
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(Text).U64(length).Raw(new byte[52]).ToArray(), "metadata 'k': expected a text of at most 52 bytes");
        Refused(GgufBytes.Start(tensorCount: 1).U64(length).Raw(new byte[52]).ToArray(), "tensor name: expected a text of at most 52 bytes");
    }

    [Theory]
    [InlineData(U32, 1UL << 62, 13)] // times 4 is zero in 64 bits
    [InlineData(U32, 14UL, 13)]
    [InlineData(Text, 1UL << 61, 6)] // times 8 is zero in 64 bits
    [InlineData(Text, 7UL, 6)]
    [InlineData(Flag, ulong.MaxValue, 52)]
    public void An_array_longer_than_the_file(uint type, ulong count, int most) =>
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(List).U32(type).U64(count).Raw(new byte[52]).ToArray(),
            $"metadata 'k': expected at most {most} in the 52 bytes that are left, found {count}");

    [Fact]
    public void An_array_of_arrays() =>
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(List).U32(List).U64(1).Raw(new byte[52]).ToArray(), "metadata 'k': expected an array of numbers, flags or texts, found an array of arrays");

    [Fact]
    public void An_unknown_value_type()
    {
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(13).Raw(new byte[52]).ToArray(), "metadata 'k': expected a value type from 0 to 12, found 13");
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(List).U32(99).U64(1).Raw(new byte[52]).ToArray(), "metadata 'k': expected a value type from 0 to 12, found 99");
    }

    [Fact]
    public void A_flag_that_is_neither_0_nor_1() =>
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(Flag).Raw([2]).ToArray(), "metadata 'k': expected a flag of 0 or 1, found 2");

    [Fact]
    public void Text_that_is_not_UTF8() =>
        Refused(GgufBytes.Start(entryCount: 1).Text("k").U32(Text).U64(2).Raw([0xC3, 0x28]).ToArray(), "metadata 'k': expected UTF-8 text");

    [Fact]
    public void A_key_twice() =>
        Refused(GgufBytes.Start(entryCount: 2).Text("k").U32(U32).U32(1).Text("k").U32(U32).U32(1).ToArray(), "metadata 'k': expected a key that occurs once");

    [Fact]
    public void A_tensor_name_twice() =>
        Refused(GgufBytes.Start(tensorCount: 2).Tensor("w", [4], F32, 0).Tensor("w", [4], F32, 32).Data(64).ToArray(), "tensor 'w': expected a name that occurs once");

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void A_rank_beyond_1_to_4(int rank) =>
        Refused(GgufBytes.Start(tensorCount: 1).Tensor("w", [.. Enumerable.Repeat(1UL, rank)], F32, 0).Data(64).ToArray(), $"tensor 'w' rank: expected 1 to 4 axes, found {rank}");

    [Theory]
    [InlineData(0UL, 4UL, "axes of 1 to 2^63-1, found 0")]
    [InlineData(4UL, 0UL, "axes of 1 to 2^63-1, found 0")]
    [InlineData(1UL << 63, 1UL, "axes of 1 to 2^63-1, found 9223372036854775808")]
    [InlineData(1UL << 32, 1UL << 32, "fewer than 2^63 values")] // a product of zero in 64 bits
    [InlineData(1UL << 62, 2UL, "fewer than 2^63 values")]
    [InlineData(1UL << 62, 1UL, "an end within the 64 bytes of the data section, found 0 + 18446744073709551616")]
    public void Axes_that_are_zero_or_overflow(ulong columns, ulong rows, string message) =>
        Refused(GgufBytes.Start(tensorCount: 1).Tensor("w", [columns, rows], F32, 0).Data(64).ToArray(), "tensor 'w'", message);

    [Fact]
    public void A_row_that_is_no_whole_number_of_blocks() =>
        Refused(GgufBytes.Start(tensorCount: 1).Tensor("w", [48, 2], Q4_0, 0).Data(64).ToArray(), "tensor 'w' columns: expected a multiple of 32, the block length of q4_0, found 48");

    [Theory]
    [InlineData(31u, "Q4_0_4_4")]
    [InlineData(4u, "Q4_2")]
    [InlineData(19u, "IQ1_S")]
    [InlineData(16u, "IQ2_XXS")]
    [InlineData(1000u, "1000")]
    [InlineData(uint.MaxValue, "4294967295")]
    public void A_type_that_is_removed_unsupported_or_unknown(uint type, string named) =>
        Refused(GgufBytes.Start(tensorCount: 1).Tensor("w", [256], type, 0).Data(256).ToArray(), "tensor 'w' type: expected a storage format", $"type {type}", named);

    [Theory]
    [InlineData(16UL, "tensor 'w' offset: expected a multiple of 32, found 16")]
    [InlineData(64UL, "tensor 'w' bytes: expected an end within the 64 bytes of the data section, found 64 + 16")]
    [InlineData(ulong.MaxValue - 31, "tensor 'w' bytes: expected an end within the 64 bytes of the data section, found 18446744073709551584 + 16")]
    public void An_offset_that_is_misaligned_or_outside(ulong offset, string message) =>
        Refused(GgufBytes.Start(tensorCount: 1).Tensor("w", [4], F32, offset).Data(64).ToArray(), message);

    [Fact]
    public void Tensors_that_overlap() =>
        Refused(GgufBytes.Start(tensorCount: 2).Tensor("v", [9], F32, 0).Tensor("w", [4], F32, 32).Data(64).ToArray(),
            "tensor 'w' bytes: expected a start at or after 36, the end of tensor 'v', found 32");

    [Theory]
    [InlineData(0u)]
    [InlineData(48u)]
    public void An_alignment_that_is_no_power_of_two(uint alignment) =>
        Refused(GgufBytes.Start(entryCount: 1).Text("general.alignment").U32(U32).U32(alignment).ToArray(), $"'general.alignment': expected a 32-bit unsigned power of two, found UInt32 {alignment}");

    [Fact]
    public void A_part_of_a_split_model() =>
        Refused(GgufBytes.Start(entryCount: 2).Text("split.count").U32(U32).U32(3).Text("split.no").U32(U32).U32(1).ToArray(),
            "metadata 'split.count': expected a whole model in one file ('llama-gguf-split --merge FIRST-PART OUTPUT' joins the parts), found part 2 of 3.");

    [Fact]
    public void A_hostile_name_stays_a_readable_line()
    {
        var name = "\n\u001b[31m" + new string('x', 5000);
        var path = _folder.Write("model.gguf", GgufBytes.Start(tensorCount: 1).Tensor(name, [4], 1000, 0).Data(64).ToArray());
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        Assert.True(message.Length < path.Length + 600, message);
    }

    [Fact]
    public void Refusing_allocates_no_more_than_the_file_justifies()
    {
        var path = _folder.Write("model.gguf", GgufBytes.Start(tensorCount: 1UL << 40, entryCount: 1).Text("k").U32(List).U32(Text).U64(1UL << 33).Raw(new byte[100]).ToArray());
        Assert.Throws<InvalidDataException>(() => ModelFile.Open(path));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => ModelFile.Open(path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_refused_file_is_closed()
    {
        var path = _folder.Write("model.gguf", GgufSeeds.EveryType()[..200]);
        Assert.Throws<InvalidDataException>(() => ModelFile.Open(path));
        using var exclusive = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(200, exclusive.Length);
    }

    private void Refused(byte[] bytes, params string[] parts)
    {
        var path = _folder.Write("model.gguf", bytes);
        var message = Assert.Throws<InvalidDataException>(() => ModelFile.Open(path)).Message;
        Assert.StartsWith(path + ": ", message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}
