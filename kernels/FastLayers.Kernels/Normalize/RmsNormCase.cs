using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entries of <see cref="RmsNorm"/>.</summary>
public static class RmsNormCase
{
    private const float Epsilon = 1e-5f;

    /// <summary>With a weight.</summary>
    public static KernelOperation Weighted { get; } = Create("RmsNorm.Weighted", "y = x / √(mean(x²) + ε) · weight", true);

    /// <summary>Without a weight.</summary>
    public static KernelOperation Plain { get; } = Create("RmsNorm.Plain", "y = x / √(mean(x²) + ε)", false);

    private static KernelOperation Create(string name, string definition, bool weighted) => new()
    {
        Name = name,
        Definition = definition,
        Shapes = RowShapes.All,
        Tolerance = 1e-13,
        ToleranceReason = "A handful of float roundings (6e-8 each) of the factor and each value.",
        BytesMoved = shape => 2 * shape.FloatBytes() + (weighted ? 4 * shape["columns"] : 0),
        OperationCount = shape => (weighted ? 4 : 3) * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("x", shape["rows"] * shape["columns"], 2);
            arguments.AddNoise("weight", weighted ? shape["columns"] : 0, 0.1f, 1);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * shape["columns"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                RmsNormReference.Row(arguments.Row("x", row, columns), arguments.Floats("weight"), Epsilon, arguments.Row("y", row, columns));
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                RmsNorm.Row(level, arguments.Row("x", row, columns), arguments.Floats("weight"), Epsilon, arguments.Row("y", row, columns));
        },
    };
}
