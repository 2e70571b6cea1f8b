namespace FastLayers.Kernels.Rotary;

/// <summary>The definition of <see cref="RotaryEmbedding"/> in double precision.</summary>
public static class RotaryReference
{
    /// <summary>Pair i, (a, b), becomes (a·cosᵢ - b·sinᵢ, a·sinᵢ + b·cosᵢ); the other elements stay.</summary>
    public static void Head(
        Span<float> head, ReadOnlySpan<float> cosine, ReadOnlySpan<float> sine, int rotatedDimensions, RotaryStyle style)
    {
        var pairs = rotatedDimensions / 2;
        for (var i = 0; i < pairs; i++)
        {
            var (first, second) = style == RotaryStyle.Adjacent ? (2 * i, 2 * i + 1) : (i, i + pairs);
            double a = head[first], b = head[second];
            head[first] = (float)(a * cosine[i] - b * sine[i]);
            head[second] = (float)(a * sine[i] + b * cosine[i]);
        }
    }
}
