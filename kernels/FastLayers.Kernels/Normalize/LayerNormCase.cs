using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entries of <see cref="LayerNorm"/>.</summary>
public static class LayerNormCase
{
    private const float Epsilon = 1e-5f;

    /// <summary>With weight and bias.</summary>
    public static KernelOperation WeightedAndBiased { get; } =
        Create("LayerNorm.WeightedAndBiased", "y = (x - mean) / √(variance + ε) · weight + bias", true, true);

    /// <summary>With a weight only.</summary>
    public static KernelOperation Weighted { get; } = Create("LayerNorm.Weighted", "y = (x - mean) / √(variance + ε) · weight", true, false);

    /// <summary>With neither.</summary>
    public static KernelOperation Plain { get; } = Create("LayerNorm.Plain", "y = (x - mean) / √(variance + ε)", false, false);

    private static KernelOperation Create(string name, string definition, bool weighted, bool biased) => new()
    {
        Name = name,
        Definition = definition,
        Shapes = RowShapes.All,
        Tolerance = 1e-12,
        ToleranceReason = "The mean is three deviations out, so that its rounding (6e-8 of it) counts threefold.",
        BytesMoved = shape => 2 * shape.FloatBytes() + (weighted ? 4 : 0) * shape["columns"] + (biased ? 4 : 0) * shape["columns"],
        OperationCount = shape => (6 + (weighted ? 1 : 0) + (biased ? 1 : 0)) * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("x", shape["rows"] * shape["columns"], 2, 6);
            arguments.AddNoise("weight", weighted ? shape["columns"] : 0, 0.1f, 1);
            arguments.AddNoise("bias", biased ? shape["columns"] : 0, 0.5f);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * shape["columns"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
            {
                LayerNormReference.Row(
                    arguments.Row("x", row, columns), arguments.Floats("weight"), arguments.Floats("bias"), Epsilon,
                    arguments.Row("y", row, columns));
            }
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
            {
                LayerNorm.Row(
                    level, arguments.Row("x", row, columns), arguments.Floats("weight"), arguments.Floats("bias"), Epsilon,
                    arguments.Row("y", row, columns));
            }
        },
    };
}
