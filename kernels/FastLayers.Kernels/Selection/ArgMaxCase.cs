using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Selection;

/// <summary>Catalog entry of <see cref="ArgMax"/>.</summary>
public static class ArgMaxCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "ArgMax",
        Definition = "y = lowest i with the largest x[i]",
        Shapes = [.. RowShapes.All, RowShapes.Of(2, 151_936)],
        Tolerance = 0,
        ToleranceReason = "Indices are exact.",
        BytesMoved = shape => shape.FloatBytes(),
        OperationCount = shape => shape.ValueCount(),
        Fill = arguments =>
        {
            SelectionInput.AddTiedNoise(arguments, "x", (int)arguments.Shape.ValueCount());
            arguments.Add<int>("y", KernelBufferRole.Output, arguments.Shape["rows"]);
        },
        Reference = arguments =>
        {
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                arguments.Ints("y")[row] = ArgMaxReference.Row(arguments.Row("x", row, arguments.Shape["columns"]));
        },
        Simd = (level, arguments) =>
        {
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                arguments.Ints("y")[row] = ArgMax.Row(level, arguments.Row("x", row, arguments.Shape["columns"]));
        },
    };
}
