namespace FastLayers.Kernels.Tests.KvCache;

/// <summary>Random keys, values and queries.</summary>
internal static class CacheNoise
{
    /// <summary>Values from −2 to 2.</summary>
    public static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 4))];
    }
}
