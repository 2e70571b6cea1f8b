using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Catalog;

/// <summary>y = f(x) for one row, by definition.</summary>
internal delegate void RowDefinition(ReadOnlySpan<float> x, Span<float> y);

/// <summary>y = f(x) for one row, at one register width.</summary>
internal delegate void RowImplementation(SimdLevel level, ReadOnlySpan<float> x, Span<float> y);

/// <summary>Entries of the operations that turn a row into another by itself: the rows of x and y are read and written once.</summary>
internal static class RowCase
{
    /// <summary>Creates an entry over noise of the given deviation.</summary>
    public static KernelOperation Create(
        string name, string definition, RowDefinition reference, RowImplementation simd,
        double tolerance, string toleranceReason, int operationsPerValue, float deviation = 1, double magnitude = 0, params ReadOnlySpan<KernelShape> furtherShapes) => new()
        {
            Name = name,
            Definition = definition,
            Shapes = [.. RowShapes.All, .. furtherShapes],
            Tolerance = tolerance,
            ToleranceReason = toleranceReason,
            Magnitude = magnitude,
            BytesMoved = shape => 2 * shape.FloatBytes(),
            OperationCount = shape => operationsPerValue * shape.ValueCount(),
            Fill = arguments =>
            {
                arguments.AddNoise("x", (int)arguments.Shape.ValueCount(), deviation);
                arguments.Add<float>("y", KernelBufferRole.Output, (int)arguments.Shape.ValueCount());
            },
            Reference = arguments =>
            {
                var columns = arguments.Shape["columns"];
                for (var row = 0; row < arguments.Shape["rows"]; row++)
                    reference(arguments.Row("x", row, columns), arguments.Row("y", row, columns));
            },
            Simd = (level, arguments) =>
            {
                var columns = arguments.Shape["columns"];
                for (var row = 0; row < arguments.Shape["rows"]; row++)
                    simd(level, arguments.Row("x", row, columns), arguments.Row("y", row, columns));
            },
        };
}
