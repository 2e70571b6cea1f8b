using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entry of <see cref="L2Normalize"/>.</summary>
public static class L2NormalizeCase
{
    internal const float Epsilon = 1e-12f;

    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = RowCase.Create(
        "L2Normalize", "y = x / max(√Σx², ε)",
        (x, y) => L2NormalizeReference.Row(x, Epsilon, y),
        (level, x, y) => L2Normalize.Row(level, x, Epsilon, y),
        1e-13, "A handful of float roundings (6e-8 each) of the factor and each value.", operationsPerValue: 3);
}
