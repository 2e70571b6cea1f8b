using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Activation;

/// <summary>Catalog entry of <see cref="Softmax"/>.</summary>
public static class SoftmaxCase
{
    internal const float Scale = 0.125f;

    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = RowCase.Create(
        "Softmax", "y = e^(s·x) / Σ e^(s·x)",
        (x, y) => SoftmaxReference.Row(x, Scale, y),
        (level, x, y) => Softmax.Row(level, x, Scale, y),
        1e-12, "exp is within 1e-7 relative error of a rounded argument, whose own rounding (6e-8 of up to 30) it multiplies.",
        operationsPerValue: 6, deviation: 20, 0, RowShapes.Of(2, 151_936));
}
