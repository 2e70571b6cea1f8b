namespace FastLayers.Gpu;

/// <summary>How a GPU device is opened.</summary>
public sealed record GpuDeviceOptions
{
    /// <summary>Bytes that the device may hold at most, so that others can use the rest; all of its memory by default.</summary>
    public long MemoryLimit { get; init; } = long.MaxValue;
}
