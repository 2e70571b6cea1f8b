namespace FastLayers.Kernels.Emit;

/// <summary>Where the machine code of a kernel comes from, for kernels that exist in both ways.</summary>
public enum KernelCode
{
    /// <summary>Emitted by the library where that is faster and possible, or else compiled by .NET.</summary>
    Automatic,

    /// <summary>Compiled by .NET.</summary>
    Compiled,

    /// <summary>Emitted by the library with the best instructions that it emits code for; compiled by .NET where that is not possible.</summary>
    Emitted,
}
