using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Selection;

/// <summary>The k chosen of a row, by definition.</summary>
internal delegate void RowSelection(ReadOnlySpan<float> row, Span<int> indices, Span<float> values);

/// <summary>The k chosen of a row, at one register width.</summary>
internal delegate void RowSelectionAt(SimdLevel level, ReadOnlySpan<float> row, Span<int> indices, Span<float> values);

/// <summary>Entries of the operations that choose k values of each row: their indices and the values themselves, exactly.</summary>
internal static class SelectionCase
{
    /// <summary>Creates an entry over rows with many ties and some NaN.</summary>
    public static KernelOperation Create(
        string name, string definition, string input, string output, RowSelection reference, RowSelectionAt simd, params ReadOnlySpan<KernelShape> shapes) => new()
        {
            Name = name,
            Definition = definition,
            Shapes = [.. shapes],
            Tolerance = 0,
            ToleranceReason = "Values are copied.",
            BytesMoved = shape => shape.FloatBytes() + (8L * shape["rows"] * shape["k"]),
            OperationCount = shape => shape.ValueCount(),
            Fill = arguments =>
            {
                SelectionInput.AddTiedNoise(arguments, input, (int)arguments.Shape.ValueCount());
                arguments.Add<int>(output, KernelBufferRole.Output, arguments.Shape["rows"] * arguments.Shape["k"]);
                arguments.Add<float>("values", KernelBufferRole.Output, arguments.Shape["rows"] * arguments.Shape["k"]);
            },
            Reference = arguments =>
            {
                int columns = arguments.Shape["columns"], k = arguments.Shape["k"];
                for (int row = 0; row < arguments.Shape["rows"]; row++)
                    reference(arguments.Row(input, row, columns), arguments.Ints(output).Slice(row * k, k), arguments.Row("values", row, k));
            },
            Simd = (level, arguments) =>
            {
                int columns = arguments.Shape["columns"], k = arguments.Shape["k"];
                for (int row = 0; row < arguments.Shape["rows"]; row++)
                    simd(level, arguments.Row(input, row, columns), arguments.Ints(output).Slice(row * k, k), arguments.Row("values", row, k));
            },
        };

    /// <summary>The shape with these sizes.</summary>
    public static KernelShape Of(int rows, int columns, int k) => new(("rows", rows), ("columns", columns), ("k", k));
}
