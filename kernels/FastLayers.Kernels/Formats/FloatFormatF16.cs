using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.Formats;

/// <summary>F16: IEEE half precision, rounded to nearest, ties to even; magnitudes of 65520 and more become infinite.</summary>
internal sealed class FloatFormatF16() : FloatFormat<ushort>(FloatTraits("f16", 1))
{
    private protected override void DecodeElements(ReadOnlySpan<ushort> elements, Span<float> values) => HalfPrecision.DecodeF16(elements, values);

    private protected override void EncodeElements(ReadOnlySpan<float> values, Span<ushort> elements) => HalfPrecision.EncodeF16(values, elements);
}
