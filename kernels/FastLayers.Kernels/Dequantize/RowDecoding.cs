using System.Runtime.CompilerServices;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>
/// Rows of any format as 16-bit floats: each value is that of <see cref="Format.Decode"/>, rounded to the nearest, ties to even. Decoded in
/// pieces that stay in the cache.
/// </summary>
public static class RowDecoding
{
    // A multiple of the block length of every format.
    private const int ChunkLength = 1024;

    /// <summary>Decodes blocks to F16.</summary>
    /// <param name="format">How the values are stored.</param>
    /// <param name="blocks">Whole blocks.</param>
    /// <param name="values">Receives the bits, as many as the blocks have values. Magnitudes of 65520 and more become infinite.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void ToF16(Format format, ReadOnlySpan<byte> blocks, Span<ushort> values) => Decode<F16>(format, blocks, values);

    /// <summary>Decodes blocks to BF16.</summary>
    /// <param name="format">How the values are stored.</param>
    /// <param name="blocks">Whole blocks.</param>
    /// <param name="values">Receives the bits, as many as the blocks have values.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void ToBF16(Format format, ReadOnlySpan<byte> blocks, Span<ushort> values) => Decode<BF16>(format, blocks, values);

    [SkipLocalsInit]
    private static void Decode<TTarget>(Format format, ReadOnlySpan<byte> blocks, Span<ushort> values)
        where TTarget : struct, ITarget
    {
        ArgumentNullException.ThrowIfNull(format);
        if (blocks.Length != format.RowBytes(values.Length))
            throw new ArgumentException($"Expected {format.RowBytes(values.Length)} bytes for {values.Length} values of {format.Name}, found {blocks.Length}.", nameof(blocks));
        Span<float> chunk = stackalloc float[ChunkLength];
        while (values.Length > 0)
        {
            int count = Math.Min(ChunkLength, values.Length);
            int bytes = count / format.BlockLength * format.BlockBytes;
            format.Decode(blocks[..bytes], chunk[..count]);
            TTarget.Encode(chunk[..count], values[..count]);
            blocks = blocks[bytes..];
            values = values[count..];
        }
    }

    private interface ITarget
    {
        static abstract void Encode(ReadOnlySpan<float> source, Span<ushort> destination);
    }

    private readonly struct F16 : ITarget
    {
        public static void Encode(ReadOnlySpan<float> source, Span<ushort> destination) => HalfPrecision.EncodeF16(source, destination);
    }

    private readonly struct BF16 : ITarget
    {
        public static void Encode(ReadOnlySpan<float> source, Span<ushort> destination) => HalfPrecision.EncodeBF16(source, destination);
    }
}
