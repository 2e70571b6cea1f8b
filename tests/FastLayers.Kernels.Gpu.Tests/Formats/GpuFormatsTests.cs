using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.Tests.Formats;

/// <summary>The structures of the formats against the formats themselves, and the layout of matrices.</summary>
public sealed class GpuFormatsTests
{
    public static IEnumerable<TheoryDataRow<string>> Blocks => GpuFormats.Blocks.Select(format => new TheoryDataRow<string>(format.Name));

    [Fact]
    public void Every_format_has_a_structure() => Assert.Equal(Format.All.ToHashSet(), [.. GpuFormats.Blocks, .. GpuFormats.Floats]);

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Sizes_are_those_of_the_format(string name)
    {
        Assert.True(Format.TryParse(name, out var format));
        var block = GpuFormats.Visit(format, new AsInterface());
        Assert.Equal(format.BlockLength, block.BlockLength);
        Assert.Equal(format.GroupLength, block.GroupLength);
        Assert.Equal(format.HasMinimums, block.HasMinimums);
        Assert.Equal(format.BlockBytes, block.CodeBytes + block.RestBytes);
        Assert.Equal(0, block.CodeBytes % sizeof(int));
        Assert.InRange(block.CodeOffset, 0, block.RestBytes);
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Planes_have_every_byte_of_the_file_once(string name)
    {
        Assert.True(Format.TryParse(name, out var format));
        var layout = GpuMatrixLayout.Of(format, 3, 2 * format.BlockLength);
        byte[] file = [.. Enumerable.Range(0, 6 * format.BlockBytes).Select(i => (byte)i)];
        byte[] planes = new byte[layout.ByteLength];
        layout.Split(file, planes, planes.AsSpan((int)layout.RestStart));
        Assert.Equal(0, layout.RestStart % 16);
        byte[] rest = planes[(int)layout.RestStart..];
        for (int block = 0; block < 6; block++)
        {
            byte[] others = rest[(block * layout.RestBytes)..((block + 1) * layout.RestBytes)];
            byte[] codes = planes[(block * layout.CodeBytes)..((block + 1) * layout.CodeBytes)];
            byte[] expected = file[(block * format.BlockBytes)..((block + 1) * format.BlockBytes)];
            byte[] joined = [.. others[..layout.CodeOffset], .. codes, .. others[layout.CodeOffset..]];
            Assert.Equal(expected, joined);
        }
    }

    [Fact]
    public void Rows_of_part_of_a_block_are_refused() =>
        Assert.Contains("multiple of 256", Assert.Throws<ArgumentException>(() => GpuMatrixLayout.Of(Format.Q4_K, 1, 100)).Message, StringComparison.Ordinal);

    [Fact]
    public void Memory_of_another_size_is_refused() =>
        Assert.Contains("takes 18 bytes, found 0", Assert.Throws<ArgumentException>(() => GpuMatrixLayout.Of(Format.Q4_0, 1, 32).On(default)).Message, StringComparison.Ordinal);

    private readonly struct AsInterface : IGpuBlockVisitor<IGpuBlock>
    {
        public IGpuBlock Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock => default(TBlock);
    }
}
