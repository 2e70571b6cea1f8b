using FastLayers.Kernels.Dequantize;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// The formats that one head of a cached token can have: float32, half, or blocks of 32 values with one scale. A block that is to hold a value
/// that is not finite gets a scale of NaN: it reads as NaN, as sums over the value would be.
/// </summary>
public static unsafe class CachedRow
{
    /// <summary>Values that share a scale; floats are read in blocks of as many.</summary>
    internal const int BlockLength = 32;

    /// <summary>Names of the formats, for messages.</summary>
    internal const string FormatNames = "f32, f16, q8_0 or q4_0";

    private const ushort HalfNaN = 0x7E00;

    /// <summary>Whether there are kernels for a cache in this format.</summary>
    public static bool Supports(Format format) =>
        format == Format.F32 || format == Format.F16 || format == Format.Q8_0 || format == Format.Q4_0;

    /// <summary>Stores a row.</summary>
    internal static void Store(Format format, float* source, byte* target, int count)
    {
        if (format == Format.F32) new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(target, count));
        else if (format == Format.F16) HalfPrecision.EncodeF16(new ReadOnlySpan<float>(source, count), new Span<ushort>(target, count));
        else
        {
            for (int block = 0; block < count; block += BlockLength, source += BlockLength, target += format.BlockBytes)
            {
                var bytes = new Span<byte>(target, format.BlockBytes);
                var values = new ReadOnlySpan<float>(source, BlockLength);
                if (AllFinite(values))
                {
                    format.Encode(values, bytes);
                    continue;
                }

                bytes.Clear();
                *(ushort*)target = HalfNaN;
            }
        }
    }

    /// <summary>Reads rows that follow each other, without space between them.</summary>
    internal static void Load(Format format, byte* source, float* target, int count) =>
        format.Decode(new ReadOnlySpan<byte>(source, (int)format.RowBytes(count)), new Span<float>(target, count));

    /// <summary>A number of values up to whole blocks.</summary>
    internal static int Padded(int size) => (size + BlockLength - 1) / BlockLength * BlockLength;

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value)) return false;
        }

        return true;
    }
}
