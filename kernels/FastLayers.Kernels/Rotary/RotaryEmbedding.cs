using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Rotary;

/// <summary>
/// Rotary position embedding (Su et al., arXiv:2104.09864): pair i of a head, (a, b), becomes (a·cosᵢ - b·sinᵢ, a·sinᵢ + b·cosᵢ).
/// The cosines and sines of a position come from a table (see <see cref="RotaryFrequencies"/>); a negated sine rotates back.
/// Bound by reading and writing the head once.
/// </summary>
public static unsafe class RotaryEmbedding
{
    /// <summary>Rotates one head in place.</summary>
    /// <param name="head">The head; elements from <paramref name="rotatedDimensions"/> on stay as they are.</param>
    /// <param name="cosine">One cosine a pair, rotatedDimensions / 2 of them, times the magnitude of the scaling method.</param>
    /// <param name="sine">One sine a pair, likewise.</param>
    /// <param name="rotatedDimensions">Elements that take part: even, at most the length of the head.</param>
    /// <param name="style">Which elements form a pair.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the head overlaps a table.</exception>
    public static void Head(
        Span<float> head, ReadOnlySpan<float> cosine, ReadOnlySpan<float> sine, int rotatedDimensions, RotaryStyle style) =>
        Row(SimdDispatch.Level, head, head.Length, cosine, sine, rotatedDimensions, style);

    /// <summary>Rotates the heads of one token in place, all by the same angles.</summary>
    /// <param name="heads">Heads one after the other.</param>
    /// <param name="headLength">Elements a head.</param>
    /// <param name="cosine">One cosine a pair, rotatedDimensions / 2 of them, times the magnitude of the scaling method.</param>
    /// <param name="sine">One sine a pair, likewise.</param>
    /// <param name="rotatedDimensions">Elements that take part: even, at most <paramref name="headLength"/>.</param>
    /// <param name="style">Which elements form a pair.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the heads overlap a table.</exception>
    public static void Row(
        Span<float> heads, int headLength, ReadOnlySpan<float> cosine, ReadOnlySpan<float> sine, int rotatedDimensions, RotaryStyle style) =>
        Row(SimdDispatch.Level, heads, headLength, cosine, sine, rotatedDimensions, style);

    internal static void Row(
        SimdLevel level, Span<float> heads, int headLength, ReadOnlySpan<float> cosine, ReadOnlySpan<float> sine,
        int rotatedDimensions, RotaryStyle style)
    {
        if (heads.IsEmpty) return;
        if (headLength <= 0 || heads.Length % headLength != 0)
            throw new ArgumentException($"{nameof(RotaryEmbedding)}: expected whole heads of {headLength} elements, found {heads.Length} elements.", nameof(heads));
        if (rotatedDimensions < 0 || rotatedDimensions > headLength || rotatedDimensions % 2 != 0)
            throw new ArgumentException($"{nameof(RotaryEmbedding)}: expected an even number from 0 to {headLength}, found {rotatedDimensions}.", nameof(rotatedDimensions));
        if (style is not (RotaryStyle.Adjacent or RotaryStyle.Halves))
            throw new ArgumentOutOfRangeException(nameof(style), style, "Expected a defined style.");
        RowArguments.RequireLength(nameof(RotaryEmbedding), rotatedDimensions / 2, cosine.Length, nameof(cosine));
        RowArguments.RequireLength(nameof(RotaryEmbedding), rotatedDimensions / 2, sine.Length, nameof(sine));
        RowArguments.RequireApart(nameof(RotaryEmbedding), cosine, heads, nameof(heads));
        RowArguments.RequireApart(nameof(RotaryEmbedding), sine, heads, nameof(heads));
        fixed (float* first = heads, cosines = cosine, sines = sine)
        {
            for (var head = first; head < first + heads.Length; head += headLength)
            {
                switch (level)
                {
                    case SimdLevel.V128: RotarySimd.Head<Lanes128>(head, cosines, sines, rotatedDimensions / 2, style); break;
                    case SimdLevel.V256: RotarySimd.Head<Lanes256>(head, cosines, sines, rotatedDimensions / 2, style); break;
                    case SimdLevel.V512: RotarySimd.Head<Lanes512>(head, cosines, sines, rotatedDimensions / 2, style); break;
                    default: RowArguments.ThrowLevel(level); break;
                }
            }
        }
    }
}
