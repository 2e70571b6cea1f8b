namespace FastLayers.Kernels.Tests.KvCache;

/// <summary>
/// Tokens of two sequences in one call: every third one is of sequence 1, so that the sequences differ in length and their groups fill at
/// different rows.
/// </summary>
internal sealed class AlternatingSequences(int tokens)
{
    /// <summary>The sequence of each token.</summary>
    public int[] Sequences { get; } = [.. Enumerable.Range(0, tokens).Select(i => i % 3 == 0 ? 1 : 0)];

    /// <summary>Its position there.</summary>
    public int[] Positions { get; } = [.. Enumerable.Range(0, tokens).Select(i => i % 3 == 0 ? i / 3 : i - (i / 3) - 1)];

    /// <summary>Tokens of each sequence.</summary>
    public int[] Lengths { get; } = [tokens - ((tokens + 2) / 3), (tokens + 2) / 3];

    /// <summary>The first and the end of the positions that each token sees: all up to its own, or a window of them; one token sees nothing.</summary>
    public (int[] First, int[] End) Seen(int window, int blindToken)
    {
        int[] first = [.. Positions.Select(p => window > 0 ? Math.Max(0, p - window + 1) : 0)];
        int[] end = [.. Positions.Select(p => p + 1)];
        end[blindToken] = first[blindToken];
        return (first, end);
    }
}
