namespace FastLayers.Kernels.Gpu.Selection;

/// <summary>How a long row is divided among groups, whose results another launch unites: one group alone cannot keep the memory busy.</summary>
internal static class RowChunks
{
    /// <summary>Values a group: sixteen a thread.</summary>
    public const int Length = 4096;

    /// <summary>Chunks of a row that yield <paramref name="kept"/> candidates each; 1 where dividing it would not leave much fewer candidates.</summary>
    public static int Count(int columns, int kept)
    {
        long chunks = ((long)columns + Length - 1) / Length;
        return chunks > 1 && 2 * chunks * kept <= columns ? (int)chunks : 1;
    }
}
