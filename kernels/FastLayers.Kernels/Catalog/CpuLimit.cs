namespace FastLayers.Kernels.Catalog;

/// <summary>What a processor can do at most; <see cref="CpuLimits"/> measures it.</summary>
public enum CpuLimit
{
    /// <summary>Each thread reads memory from one end to the other.</summary>
    Read,

    /// <summary>Each thread reads at four places far from each other in turn, which keeps more of memory busy.</summary>
    ReadFourStreams,

    /// <summary>Each thread copies memory.</summary>
    Copy,

    /// <summary>Float multiplications and additions in registers.</summary>
    FloatMultiplyAdd,

    /// <summary>Multiplications of bytes and additions in registers, by the fastest instructions that .NET has for this processor.</summary>
    Int8MultiplyAdd,

    /// <summary>A pool of threads starts work of nothing and waits for its end.</summary>
    Dispatch,
}
