using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Selection;

/// <summary>Catalog entry of <see cref="TopK"/>.</summary>
public static class TopKCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "TopK",
        Definition = "the k largest values in falling order, the lower index first",
        Shapes =
        [
            Of(0, 8, 2), Of(1, 8, 0), Of(1, 1, 1), Of(1, 3, 5), Of(3, 17, 4), Of(2, 64, 8), Of(2, 127, 127), Of(5, 1000, 40), Of(1, 32_003, 64),
        ],
        Tolerance = 0,
        ToleranceReason = "Values are copied.",
        BytesMoved = shape => shape.FloatBytes() + 8L * shape["rows"] * shape["k"],
        OperationCount = shape => shape.ValueCount(),
        Fill = arguments =>
        {
            SelectionInput.AddTiedNoise(arguments, "x", (int)arguments.Shape.ValueCount());
            arguments.Add<int>("indices", KernelBufferRole.Output, arguments.Shape["rows"] * arguments.Shape["k"]);
            arguments.Add<float>("values", KernelBufferRole.Output, arguments.Shape["rows"] * arguments.Shape["k"]);
        },
        Reference = arguments =>
        {
            int columns = arguments.Shape["columns"], k = arguments.Shape["k"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                TopKReference.Row(arguments.Row("x", row, columns), arguments.Ints("indices").Slice(row * k, k), arguments.Row("values", row, k));
        },
        Simd = (level, arguments) =>
        {
            int columns = arguments.Shape["columns"], k = arguments.Shape["k"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                TopK.Row(level, arguments.Row("x", row, columns), arguments.Ints("indices").Slice(row * k, k), arguments.Row("values", row, k));
        },
    };

    private static KernelShape Of(int rows, int columns, int k) => new(("rows", rows), ("columns", columns), ("k", k));
}
