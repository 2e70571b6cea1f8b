using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entry of <see cref="AddNorm"/>.</summary>
public static class AddNormCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "AddNorm",
        Definition = "x += residual, n = √Σx²",
        Shapes = [.. RowShapes.All, RowShapes.Of(2, 16_384)],
        Tolerance = 1e-12,
        ToleranceReason = "Norms within 1e-6 relative error; the sums themselves are rounded as the definition rounds them.",
        BytesMoved = shape => 3 * shape.FloatBytes() + 4 * shape["rows"],
        OperationCount = shape => 3 * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("residual", shape["rows"] * shape["columns"]);
            arguments.AddNoise("x", shape["rows"] * shape["columns"], 5, role: KernelBufferRole.InputOutput);
            arguments.Add<float>("norms", KernelBufferRole.Output, shape["rows"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                arguments.Floats("norms")[row] = AddNormReference.Row(arguments.Row("residual", row, columns), arguments.Row("x", row, columns));
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                arguments.Floats("norms")[row] = AddNorm.Row(level, arguments.Row("residual", row, columns), arguments.Row("x", row, columns));
        },
    };
}
