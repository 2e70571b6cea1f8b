using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Embedding;

/// <summary>The definition of <see cref="EmbeddingLookup"/>.</summary>
public static class EmbeddingLookupReference
{
    /// <summary>y[i] = scale · row[i].</summary>
    public static void Row(Format format, ReadOnlySpan<byte> row, float scale, Span<float> y)
    {
        ArgumentNullException.ThrowIfNull(format);
        format.Decode(row, y);
        foreach (ref var value in y) value = (float)((double)value * scale);
    }
}
