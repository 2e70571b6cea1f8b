namespace FastLayers.Kernels.Formats;

/// <summary>F32: values as they are.</summary>
internal sealed class FloatFormatF32() : FloatFormat<float>(FloatTraits("f32", 0))
{
    private protected override void DecodeElements(ReadOnlySpan<float> elements, Span<float> values) => elements.CopyTo(values);

    private protected override void EncodeElements(ReadOnlySpan<float> values, Span<float> elements) => values.CopyTo(elements);
}
