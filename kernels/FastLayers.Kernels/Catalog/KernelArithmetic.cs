namespace FastLayers.Kernels.Catalog;

/// <summary>The numbers that an operation multiplies most.</summary>
public enum KernelArithmetic
{
    /// <summary>Floats.</summary>
    Float,

    /// <summary>Bytes, summed as integers.</summary>
    Int8,
}
