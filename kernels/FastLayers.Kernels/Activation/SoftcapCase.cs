using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Activation;

/// <summary>Catalog entry of <see cref="Softcap"/>.</summary>
public static class SoftcapCase
{
    internal const float Cap = 30;

    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = RowCase.Create(
        "Softcap", "y = cap · tanh(x / cap)",
        (x, y) => SoftcapReference.Row(x, Cap, y),
        (level, x, y) => Softcap.Row(level, x, Cap, y),
        1e-13, "tanh is within 2e-7 relative error; two roundings follow.", operationsPerValue: 3, deviation: 20);
}
