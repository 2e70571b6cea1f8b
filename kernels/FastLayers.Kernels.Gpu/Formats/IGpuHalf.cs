namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>A format of 16 bits a value: F16 or BF16.</summary>
internal interface IGpuHalf : IGpuFloat<ushort>
{
    /// <summary>Whether every value is a BF16 number; otherwise it is the sum of two.</summary>
    bool IsExactInBF16 { get; }
}
