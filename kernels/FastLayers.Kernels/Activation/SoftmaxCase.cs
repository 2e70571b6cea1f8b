using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Activation;

/// <summary>Catalog entry of <see cref="Softmax"/>.</summary>
public static class SoftmaxCase
{
    private const float Scale = 0.125f;

    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "Softmax",
        Definition = "y = e^(s·x) / Σ e^(s·x)",
        Shapes = [.. RowShapes.All, RowShapes.Of(2, 151_936)],
        Tolerance = 1e-12,
        ToleranceReason = "exp is within 1e-7 relative error of a rounded argument, whose own rounding (6e-8 of up to 30) it multiplies.",
        BytesMoved = shape => 2 * shape.FloatBytes(),
        OperationCount = shape => 6 * shape.ValueCount(),
        Fill = arguments =>
        {
            arguments.AddNoise("x", (int)arguments.Shape.ValueCount(), 20);
            arguments.Add<float>("y", KernelBufferRole.Output, (int)arguments.Shape.ValueCount());
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                SoftmaxReference.Row(arguments.Row("x", row, columns), Scale, arguments.Row("y", row, columns));
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                Softmax.Row(level, arguments.Row("x", row, columns), Scale, arguments.Row("y", row, columns));
        },
    };
}
