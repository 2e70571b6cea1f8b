using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entry of <see cref="L2Normalize"/>.</summary>
public static class L2NormalizeCase
{
    private const float Epsilon = 1e-12f;

    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "L2Normalize",
        Definition = "y = x / max(√Σx², ε)",
        Shapes = RowShapes.All,
        Tolerance = 1e-13,
        ToleranceReason = "A handful of float roundings (6e-8 each) of the factor and each value.",
        BytesMoved = shape => 2 * shape.FloatBytes(),
        OperationCount = shape => 3 * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("x", shape["rows"] * shape["columns"]);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * shape["columns"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                L2NormalizeReference.Row(arguments.Row("x", row, columns), Epsilon, arguments.Row("y", row, columns));
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                L2Normalize.Row(level, arguments.Row("x", row, columns), Epsilon, arguments.Row("y", row, columns));
        },
    };
}
