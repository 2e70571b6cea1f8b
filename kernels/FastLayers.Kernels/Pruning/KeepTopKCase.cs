using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Selection;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entry of <see cref="KeepTopK"/>.</summary>
public static class KeepTopKCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "KeepTopK",
        Definition = "indices and values of the k largest scores, of equal ones the lower index, in rising order",
        Shapes = [Of(0, 8, 2), Of(1, 8, 0), Of(1, 1, 1), Of(1, 3, 5), Of(3, 17, 4), Of(2, 65, 33), Of(2, 127, 127), Of(1, 576, 192)],
        Tolerance = 0,
        ToleranceReason = "Values are copied.",
        BytesMoved = shape => shape.FloatBytes() + (8L * shape["rows"] * shape["k"]),
        OperationCount = shape => shape.ValueCount(),
        Fill = arguments =>
        {
            SelectionInput.AddTiedNoise(arguments, "scores", (int)arguments.Shape.ValueCount());
            arguments.Add<int>("kept", KernelBufferRole.Output, arguments.Shape["rows"] * arguments.Shape["k"]);
            arguments.Add<float>("values", KernelBufferRole.Output, arguments.Shape["rows"] * arguments.Shape["k"]);
        },
        Reference = a =>
        {
            int columns = a.Shape["columns"], k = a.Shape["k"];
            for (int row = 0; row < a.Shape["rows"]; row++)
                KeepTopKReference.Row(a.Row("scores", row, columns), a.Ints("kept").Slice(row * k, k), a.Row("values", row, k));
        },
        Simd = (level, a) =>
        {
            int columns = a.Shape["columns"], k = a.Shape["k"];
            for (int row = 0; row < a.Shape["rows"]; row++)
                KeepTopK.Row(level, a.Row("scores", row, columns), a.Ints("kept").Slice(row * k, k), a.Row("values", row, k));
        },
    };

    private static KernelShape Of(int rows, int columns, int k) => new(("rows", rows), ("columns", columns), ("k", k));
}
