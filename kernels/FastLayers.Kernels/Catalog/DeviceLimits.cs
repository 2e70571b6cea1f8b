namespace FastLayers.Kernels.Catalog;

/// <summary>What a device can do at most, measured on it: the roofline that kernels are compared with.</summary>
/// <param name="BytesPerSecond">Bytes read plus bytes written by a large copy.</param>
/// <param name="OperationsPerSecond">Float multiplications plus additions without any memory.</param>
public readonly record struct DeviceLimits(double BytesPerSecond, double OperationsPerSecond)
{
    /// <summary>Bytes read by one stream a thread, or null where it was not measured.</summary>
    public double? ReadBytesPerSecond { get; init; }

    /// <summary>Bytes read by four far streams a thread, or null where it was not measured.</summary>
    public double? FourStreamReadBytesPerSecond { get; init; }

    /// <summary>Multiplications of bytes plus additions without any memory, or null where it was not measured.</summary>
    public double? Int8OperationsPerSecond { get; init; }

    /// <summary>Seconds to start work on all threads and wait for its end, or null where it was not measured.</summary>
    public double? DispatchSeconds { get; init; }

    /// <summary>Bytes that its caches may hold; 0 where data always comes from memory, or is not known to stay.</summary>
    public long CacheBytes { get; init; }

    /// <summary>The fastest way to move bytes that was measured.</summary>
    public double MostBytesPerSecond => Math.Max(BytesPerSecond, Math.Max(ReadBytesPerSecond ?? 0, FourStreamReadBytesPerSecond ?? 0));

    /// <summary>The rate for numbers of a kind; that of floats where the one of bytes was not measured.</summary>
    public double RateOf(KernelArithmetic arithmetic) => arithmetic == KernelArithmetic.Int8 ? Int8OperationsPerSecond ?? OperationsPerSecond : OperationsPerSecond;

    /// <summary>
    /// Seconds that work takes at least when it is repeated: the longer of moving its bytes and of computing. Null where moving is the longer
    /// one and the caches hold all bytes, since the rate of caches is not measured.
    /// </summary>
    /// <param name="bytes">Bytes read and written.</param>
    /// <param name="operations">Multiplications plus additions.</param>
    /// <param name="arithmetic">On which numbers.</param>
    public double? LeastSeconds(double bytes, double operations, KernelArithmetic arithmetic)
    {
        double moving = bytes / MostBytesPerSecond, computing = operations / RateOf(arithmetic);
        if (computing >= moving) return computing;
        return bytes > CacheBytes ? moving : null;
    }
}
