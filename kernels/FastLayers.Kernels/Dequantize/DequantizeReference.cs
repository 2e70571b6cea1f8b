using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>The definition of decoding blocks: plain loops over what the scalar definition of each format unpacks.</summary>
internal static class DequantizeReference
{
    /// <summary>The value of every code: scale · code - minimum, each step rounded to float32; float formats are read element by element.</summary>
    public static float[] Values(Format format, ReadOnlySpan<byte> blocks)
    {
        int count = blocks.Length / format.BlockBytes * format.BlockLength;
        var values = new float[count];
        if (format.GroupLength == 0)
        {
            for (int i = 0; i < count; i++) values[i] = Element(format, blocks.Slice(i * format.BlockBytes, format.BlockBytes));
            return values;
        }

        var codes = new sbyte[count];
        var scales = new float[count / format.GroupLength];
        var minimums = new float[count / format.GroupLength];
        format.UnpackScalar(blocks, codes, scales, minimums);
        for (int i = 0; i < count; i++)
        {
            float product = scales[i / format.GroupLength] * codes[i];
            values[i] = product - minimums[i / format.GroupLength];
        }

        return values;
    }

    private static float Element(Format format, ReadOnlySpan<byte> element) => format.Name switch
    {
        "f32" => BitConverter.ToSingle(element),
        "f16" => (float)BitConverter.ToHalf(element),
        "bf16" => BitConverter.Int32BitsToSingle(BitConverter.ToUInt16(element) << 16),
        _ => throw new NotSupportedException($"{format.Name} is no float format."),
    };
}
