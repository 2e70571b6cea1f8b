using System.Runtime.InteropServices;
using FastLayers.Kernels.Formats;
using FsCheck.Xunit;

namespace FastLayers.Kernels.Tests.Formats;

/// <summary>The vectorized splitting of blocks into codes, scales and minimums against its scalar definition.</summary>
public class UnpackTests
{
    public static TheoryData<string> QuantizedFormats => new(Format.All.Where(f => f.GroupLength > 0).Select(f => f.Name));

    public static TheoryData<string> FloatFormats => new("f32", "f16", "bf16");

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Vectorized_equals_scalar_on_random_bytes(string name)
    {
        Format format = ReferenceVectors.Get(name);
        Random random = new(20240601);
        for (int blockCount = 0; blockCount < 300; blockCount++)
        {
            byte[] blocks = new byte[blockCount * format.BlockBytes];
            random.NextBytes(blocks);
            AssertSame(format, blocks);
        }
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Vectorized_equals_scalar_for_every_byte_value_everywhere(string name)
    {
        Format format = ReferenceVectors.Get(name);
        for (int value = 0; value < 256; value++)
        {
            byte[] blocks = new byte[2 * format.BlockBytes];
            Array.Fill(blocks, (byte)value);
            AssertSame(format, blocks);
        }
    }

    [Property]
    public void Vectorized_equals_scalar_on_any_bytes(byte[] bytes)
    {
        foreach (Format format in Format.All.Where(f => f.GroupLength > 0))
        {
            byte[] blocks = new byte[3 * format.BlockBytes];
            for (int i = 0; i < blocks.Length && bytes.Length > 0; i++)
                blocks[i] = bytes[i % bytes.Length];
            AssertSame(format, blocks);
        }
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Parts_make_up_the_decoded_values(string name)
    {
        Format format = ReferenceVectors.Get(name);
        byte[] blocks = new byte[7 * format.BlockBytes];
        new Random(3).NextBytes(blocks);
        float[] values = new float[7 * format.BlockLength];
        format.Decode(blocks, values);

        Parts parts = new(format, blocks);
        format.Unpack(blocks, parts.Codes, parts.Scales, parts.Minimums);

        float[] recombined = [.. parts.Codes.Select((code, i) => parts.Scales[i / format.GroupLength] * code - parts.Minimums[i / format.GroupLength])];
        Assert.Equal(Bits(values), Bits(recombined));
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Formats_without_minimums_take_none_or_clear_them(string name)
    {
        Format format = ReferenceVectors.Get(name);
        byte[] blocks = new byte[2 * format.BlockBytes];
        Parts parts = new(format, blocks);
        if (format.HasMinimums)
        {
            Assert.Throws<ArgumentException>("minimums", () => format.Unpack(blocks, parts.Codes, parts.Scales, []));
            return;
        }
        format.Unpack(blocks, parts.Codes, parts.Scales, []);
        Array.Fill(parts.Minimums, 1);
        format.Unpack(blocks, parts.Codes, parts.Scales, parts.Minimums);
        Assert.All(parts.Minimums, minimum => Assert.Equal(0, minimum));
    }

    [Theory, MemberData(nameof(QuantizedFormats))]
    public void Nothing_is_allocated(string name)
    {
        Format format = ReferenceVectors.Get(name);
        byte[] blocks = new byte[8 * format.BlockBytes];
        Parts parts = new(format, blocks);

        Assert.Equal(0, Allocations.Least(() => format.Unpack(blocks, parts.Codes, parts.Scales, parts.Minimums)));
    }

    [Theory, MemberData(nameof(FloatFormats))]
    public void Float_formats_have_nothing_to_unpack(string name)
    {
        Format format = ReferenceVectors.Get(name);
        Assert.Equal(0, format.GroupLength);
        Assert.Throws<NotSupportedException>(() => format.Unpack(new byte[format.BlockBytes], new sbyte[1], new float[1], []));
    }

    private static void AssertSame(Format format, byte[] blocks)
    {
        Parts expected = new(format, blocks), actual = new(format, blocks);
        format.UnpackScalar(blocks, expected.Codes, expected.Scales, expected.Minimums);
        format.Unpack(blocks, actual.Codes, actual.Scales, actual.Minimums);
        Assert.True(expected.Codes.AsSpan().SequenceEqual(actual.Codes), $"{format}: codes differ");
        Assert.True(Bits(expected.Scales).AsSpan().SequenceEqual(Bits(actual.Scales)), $"{format}: scales differ");
        Assert.True(Bits(expected.Minimums).AsSpan().SequenceEqual(Bits(actual.Minimums)), $"{format}: minimums differ");
    }

    // NaNs are one value here: which operand's payload survives a multiplication is not defined.
    private static uint[] Bits(float[] values) =>
        MemoryMarshal.Cast<float, uint>(values.Select(value => float.IsNaN(value) ? float.NaN : value).ToArray()).ToArray();

    private sealed class Parts(Format format, byte[] blocks)
    {
        public sbyte[] Codes { get; } = new sbyte[blocks.Length / format.BlockBytes * format.BlockLength];

        public float[] Scales { get; } = new float[blocks.Length / format.BlockBytes * format.BlockLength / format.GroupLength];

        public float[] Minimums { get; } = new float[blocks.Length / format.BlockBytes * format.BlockLength / format.GroupLength];
    }
}
