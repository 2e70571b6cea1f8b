using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Elementwise;

/// <summary>Catalog entries of <see cref="RowArithmetic"/>.</summary>
public static class RowArithmeticCase
{
    internal const float Factor = 0.7f;

    /// <summary>Addition.</summary>
    public static KernelOperation Add { get; } = Create(
        "RowArithmetic.Add", "y += x", 1, 1e-14, "One float rounding, which the definition makes too.", arguments => RowArithmeticReference.Add(arguments.Floats("x"), arguments.Floats("y")),
        (level, arguments, row, columns) => RowArithmetic.Add(level, arguments.Row("x", row, columns), arguments.Row("y", row, columns)));

    /// <summary>Addition of a multiple.</summary>
    public static KernelOperation AddScaled { get; } = Create(
        "RowArithmetic.AddScaled", "y += factor · x", 2, 1e-13, "Two float roundings (6e-8 each) where the hardware fuses nothing, the first of a product that may be larger than the sum.",
        arguments => RowArithmeticReference.AddScaled(Factor, arguments.Floats("x"), arguments.Floats("y")),
        (level, arguments, row, columns) =>
            RowArithmetic.AddScaled(level, Factor, arguments.Row("x", row, columns), arguments.Row("y", row, columns)));

    /// <summary>Multiplication by a number.</summary>
    public static KernelOperation Scale { get; } = new()
    {
        Name = "RowArithmetic.Scale",
        Definition = "y *= factor",
        Shapes = RowShapes.All,
        Tolerance = 1e-14,
        ToleranceReason = "One float rounding, which the definition makes too.",
        BytesMoved = shape => 2 * shape.FloatBytes(),
        OperationCount = shape => shape.ValueCount(),
        Fill = arguments => arguments.AddNoise("y", (int)arguments.Shape.ValueCount(), role: KernelBufferRole.InputOutput),
        Reference = arguments => RowArithmeticReference.Scale(Factor, arguments.Floats("y")),
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++) RowArithmetic.Scale(level, Factor, arguments.Row("y", row, columns));
        },
    };

    /// <summary>Addition of one row to all rows.</summary>
    public static KernelOperation AddBias { get; } = new()
    {
        Name = "RowArithmetic.AddBias",
        Definition = "y[r] += bias",
        Shapes = RowShapes.All,
        Tolerance = 1e-14,
        ToleranceReason = "One float rounding, which the definition makes too.",
        BytesMoved = shape => 2 * shape.FloatBytes() + 4 * shape["columns"],
        OperationCount = shape => shape.ValueCount(),
        Fill = arguments =>
        {
            arguments.AddNoise("bias", arguments.Shape["columns"]);
            arguments.AddNoise("y", (int)arguments.Shape.ValueCount(), role: KernelBufferRole.InputOutput);
        },
        Reference = arguments => RowArithmeticReference.AddBias(arguments.Floats("bias"), arguments.Floats("y")),
        Simd = (level, arguments) => RowArithmetic.AddBias(level, arguments.Floats("bias"), arguments.Floats("y")),
    };

    private static KernelOperation Create(
        string name, string definition, int operations, double tolerance, string toleranceReason, Action<KernelArguments> reference,
        Action<SimdLevel, KernelArguments, int, int> simdRow) => new()
        {
            Name = name,
            Definition = definition,
            Shapes = RowShapes.All,
            Tolerance = tolerance,
            ToleranceReason = toleranceReason,
            Magnitude = 1,
            BytesMoved = shape => 3 * shape.FloatBytes(),
            OperationCount = shape => operations * shape.ValueCount(),
            Fill = arguments =>
            {
                arguments.AddNoise("x", (int)arguments.Shape.ValueCount());
                arguments.AddNoise("y", (int)arguments.Shape.ValueCount(), role: KernelBufferRole.InputOutput);
            },
            Reference = reference,
            Simd = (level, arguments) =>
            {
                for (var row = 0; row < arguments.Shape["rows"]; row++) simdRow(level, arguments, row, arguments.Shape["columns"]);
            },
        };
}
