using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Elementwise;

namespace FastLayers.Kernels.Normalize;

/// <summary>Catalog entries of <see cref="LayerNorm"/>.</summary>
public static class LayerNormCase
{
    internal const float Epsilon = 1e-5f;

    /// <summary>With weight and bias.</summary>
    public static KernelOperation WeightedAndBiased { get; } =
        Create("LayerNorm.WeightedAndBiased", "y = (x - mean) / √(variance + ε) · weight + bias", true, true);

    /// <summary>With a weight only.</summary>
    public static KernelOperation Weighted { get; } = Create("LayerNorm.Weighted", "y = (x - mean) / √(variance + ε) · weight", true, false);

    /// <summary>With neither.</summary>
    public static KernelOperation Plain { get; } = Create("LayerNorm.Plain", "y = (x - mean) / √(variance + ε)", false, false);

    /// <summary>With weight and bias, after an addition to the row.</summary>
    public static KernelOperation Residual { get; } =
        Create("LayerNorm.Residual", "x += residual, y = (x - mean) / √(variance + ε) · weight + bias", true, true, true);

    private static KernelOperation Create(string name, string definition, bool weighted, bool biased, bool residual = false) => new()
    {
        Name = name,
        Definition = definition,
        Shapes = RowShapes.All,
        Tolerance = 1e-12,
        ToleranceReason = "Rounding the mean and the differences to it (6e-8 each) counts more where the mean is larger than the deviation.",
        BytesMoved = shape => (residual ? 4 : 2) * shape.FloatBytes() + (weighted ? 4 : 0) * shape["columns"] + (biased ? 4 : 0) * shape["columns"],
        OperationCount = shape => (6 + (residual ? 1 : 0) + (weighted ? 1 : 0) + (biased ? 1 : 0)) * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            var x = arguments.AddNoise(
                "x", shape["rows"] * shape["columns"], 2, 6, residual ? KernelBufferRole.InputOutput : KernelBufferRole.Input);

            // Neighbors apart, so that a row of few columns is not almost constant: dividing by its deviation would leave nothing but roundings.
            for (var i = 0; i < x.Length; i++) x[i] += i % 2 == 0 ? 12 : -12;
            if (residual) arguments.AddNoise("residual", shape["rows"] * shape["columns"]);
            arguments.AddNoise("weight", weighted ? shape["columns"] : 0, 0.1f, 1);
            arguments.AddNoise("bias", biased ? shape["columns"] : 0, 0.5f);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * shape["columns"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            if (residual) RowArithmeticReference.Add(arguments.Floats("residual"), arguments.Floats("x"));
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
                Span<float> x = arguments.Row("x", row, columns), y = arguments.Row("y", row, columns);
                Span<float> weight = arguments.Floats("weight"), bias = arguments.Floats("bias");
                if (residual) LayerNorm.ResidualRow(level, arguments.Row("residual", row, columns), x, weight, bias, Epsilon, y);
                else LayerNorm.Row(level, x, weight, bias, Epsilon, y);
            }
        },
    };
}
