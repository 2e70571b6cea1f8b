using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Elementwise;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entries of <see cref="RmsNorm"/>.</summary>
public static class RmsNormCase
{
    internal const float Epsilon = 1e-5f;

    /// <summary>With a weight.</summary>
    public static KernelOperation Weighted { get; } = Create("RmsNorm.Weighted", "y = x / √(mean(x²) + ε) · weight", true);

    /// <summary>Without a weight.</summary>
    public static KernelOperation Plain { get; } = Create("RmsNorm.Plain", "y = x / √(mean(x²) + ε)", false);

    /// <summary>With a weight, after an addition to the row.</summary>
    public static KernelOperation Residual { get; } =
        Create("RmsNorm.Residual", "x += residual, y = x / √(mean(x²) + ε) · weight", true, true);

    private static KernelOperation Create(string name, string definition, bool weighted, bool residual = false) => new()
    {
        Name = name,
        Definition = definition,
        Shapes = RowShapes.All,
        Tolerance = 1e-13,
        ToleranceReason = "A handful of float roundings (6e-8 each) of the factor and each value.",
        BytesMoved = shape => (residual ? 4 : 2) * shape.FloatBytes() + (weighted ? 4 * shape["columns"] : 0),
        OperationCount = shape => ((weighted ? 4 : 3) + (residual ? 1 : 0)) * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise(
                "x", shape["rows"] * shape["columns"], 2, role: residual ? KernelBufferRole.InputOutput : KernelBufferRole.Input);
            if (residual) arguments.AddNoise("residual", shape["rows"] * shape["columns"]);
            arguments.AddNoise("weight", weighted ? shape["columns"] : 0, 0.1f, 1);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * shape["columns"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            if (residual) RowArithmeticReference.Add(arguments.Floats("residual"), arguments.Floats("x"));
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                RmsNormReference.Row(arguments.Row("x", row, columns), arguments.Floats("weight"), Epsilon, arguments.Row("y", row, columns));
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
            {
                Span<float> x = arguments.Row("x", row, columns), weight = arguments.Floats("weight"), y = arguments.Row("y", row, columns);
                if (residual) RmsNorm.ResidualRow(level, arguments.Row("residual", row, columns), x, weight, Epsilon, y);
                else RmsNorm.Row(level, x, weight, Epsilon, y);
            }
        },
    };
}
