using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>BF16: the upper 16 bits of a float32, rounded to nearest, ties to even.</summary>
internal sealed class FloatFormatBF16() : FloatFormat<ushort>(FloatTraits("bf16", 30))
{
    private protected override void DecodeElements(ReadOnlySpan<ushort> elements, Span<float> values) => HalfPrecision.DecodeBF16(elements, values);

    private protected override void EncodeElements(ReadOnlySpan<float> values, Span<ushort> elements) => HalfPrecision.EncodeBF16(values, elements);
}
