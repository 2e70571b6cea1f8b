using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entries of <see cref="RowNorms"/>.</summary>
public static class RowNormsCase
{
    /// <summary>Norms, and relative changes.</summary>
    public static IReadOnlyList<KernelOperation> All { get; } =
    [
        Create("RowNorms", "n = √Σx²", false, (x, _) => (float)RowNormsReference.Row(x), (level, x, _) => RowNorms.Row(level, x)),
        Create(
            "RowNorms.RelativeChange", "c = √Σ(y - x)² / √Σx²", true, (x, y) => (float)RowNormsReference.RelativeChange(x, y),
            (level, x, y) => RowNorms.RelativeChange(level, x, y)),
    ];

    private delegate float Definition(ReadOnlySpan<float> x, ReadOnlySpan<float> y);

    private delegate float Implementation(Simd.SimdLevel level, ReadOnlySpan<float> x, ReadOnlySpan<float> y);

    private static KernelOperation Create(string name, string definition, bool hasAfter, Definition reference, Implementation simd) => new()
    {
        Name = name,
        Definition = definition,
        Shapes = [.. RowShapes.All, RowShapes.Of(2, 16_384)],
        Tolerance = 1e-12,
        ToleranceReason = "Compensated sums of squares: within 1e-6 relative error.",
        BytesMoved = shape => ((hasAfter ? 2 : 1) * shape.FloatBytes()) + (4 * shape["rows"]),
        OperationCount = shape => (hasAfter ? 5 : 2) * shape.ValueCount(),
        Fill = arguments =>
        {
            int count = checked((int)arguments.Shape.ValueCount());
            var x = arguments.AddNoise("x", count, 5);

            // A layer changes little, and the first row not at all.
            var y = arguments.AddNoise("after", hasAfter ? count : 0, 0.3f);
            for (int i = 0; i < y.Length; i++) y[i] = i < arguments.Shape["columns"] && arguments.Shape["rows"] > 1 ? x[i] : x[i] + y[i];
            arguments.Add<float>("y", KernelBufferRole.Output, arguments.Shape["rows"]);
        },
        Reference = arguments =>
        {
            for (int row = 0; row < arguments.Shape["rows"]; row++) arguments.Floats("y")[row] = reference(Row(arguments, "x", row), hasAfter ? Row(arguments, "after", row) : []);
        },
        Simd = (level, arguments) =>
        {
            for (int row = 0; row < arguments.Shape["rows"]; row++) arguments.Floats("y")[row] = simd(level, Row(arguments, "x", row), hasAfter ? Row(arguments, "after", row) : []);
        },
    };

    private static ReadOnlySpan<float> Row(KernelArguments arguments, string name, int row) => arguments.Row(name, row, arguments.Shape["columns"]);
}
