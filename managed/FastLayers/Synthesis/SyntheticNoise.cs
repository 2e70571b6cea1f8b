namespace FastLayers.Synthesis;

/// <summary>
/// A stream of normal-like noise that can be read at any place: value <c>i</c> depends on the seed and on <c>i</c> alone, so
/// threads may produce parts of it in any order.
/// </summary>
/// <remarks>
/// Value <c>i</c> is the sum of the four 16-bit pieces of output <c>i</c> of splitmix64, less the mean of that sum. The state of
/// splitmix64 is a counter, which is what makes the stream random access.
/// </remarks>
internal readonly struct SyntheticNoise(ulong seed)
{
    /// <summary>The mean of the sum of four uniform 16-bit numbers.</summary>
    private const int Mean = 131070;

    /// <summary>The standard deviation of that sum: 2^16 * sqrt(4 / 12).</summary>
    private const float Deviation = 37837.2f;

    /// <summary>Fills <paramref name="values"/> with <c>center + deviation * noise</c> from place <paramref name="first"/> of the stream, rounded once.</summary>
    public void Fill(Span<float> values, long first, float center, float deviation)
    {
        var scale = deviation / Deviation;
        var state = unchecked(seed + (ulong)first * Step);
        for (var i = 0; i < values.Length; i++)
        {
            state = unchecked(state + Step);
            values[i] = MathF.FusedMultiplyAdd(Sum(state), scale, center);
        }
    }

    private const ulong Step = 0x9E3779B97F4A7C15;

    private static int Sum(ulong state)
    {
        var z = state;
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        z ^= z >> 31;
        return (int)(z & 0xFFFF) + (int)((z >> 16) & 0xFFFF) + (int)((z >> 32) & 0xFFFF) + (int)(z >> 48) - Mean;
    }
}
