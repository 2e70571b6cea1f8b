using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Gather;

/// <summary>Catalog entries of <see cref="RowMoves"/>.</summary>
public static class RowMovesCase
{
    // [rows to choose from or to add to, indices, columns]: nothing, one value, rows wanted several times and not at all, odd widths.
    private static readonly KernelShape[] s_shapes =
    [
        Of(4, 0, 8), Of(1, 1, 1), Of(1, 3, 4), Of(3, 5, 31), Of(5, 5, 64), Of(9, 4, 127), Of(7, 12, 576), Of(16, 9, 1003), Of(64, 48, 2048),
    ];

    /// <summary>Rows by index.</summary>
    public static KernelOperation Gather { get; } = new()
    {
        Name = "RowMoves.Gather",
        Definition = "output[r] = input[indices[r]]",
        Shapes = s_shapes,
        Tolerance = 0,
        ToleranceReason = "Values are copied.",
        BytesMoved = shape => (8L * shape["columns"] + 4) * shape["indices"],
        OperationCount = _ => 0,
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("input", shape["rows"] * shape["columns"]);
            arguments.AddInts("indices", shape["indices"], shape["rows"]);
            arguments.Add<float>("output", KernelBufferRole.Output, shape["indices"] * shape["columns"]);
        },
        Reference = a => RowMovesReference.Gather(a.Floats("input"), a.Ints("indices"), a.Shape["columns"], a.Floats("output")),
        Simd = (_, a) => RowMoves.Gather(a.Floats("input"), a.Ints("indices"), a.Shape["columns"], a.Floats("output")),
    };

    /// <summary>Weighted rows added by index.</summary>
    public static KernelOperation ScatterAdd { get; } = new()
    {
        Name = "RowMoves.ScatterAdd",
        Definition = "target[indices[r]] += weights[r] · source[r]",
        Shapes = s_shapes,
        Tolerance = 1e-13,
        ToleranceReason = "Two float roundings (6e-8 each) for each row that is added.",
        Magnitude = 1,
        BytesMoved = shape => (12L * shape["columns"] + 8) * shape["indices"],
        OperationCount = shape => 2L * shape["indices"] * shape["columns"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("source", shape["indices"] * shape["columns"]);
            arguments.AddUniform("weights", shape["indices"], 0, 1);
            arguments.AddInts("indices", shape["indices"], shape["rows"]);
            arguments.AddNoise("target", shape["rows"] * shape["columns"], role: KernelBufferRole.InputOutput);
        },
        Reference = a => RowMovesReference.ScatterAdd(a.Floats("source"), a.Floats("weights"), a.Ints("indices"), a.Shape["columns"], a.Floats("target")),
        Simd = (level, a) =>
            RowMoves.ScatterAdd(level, a.Floats("source"), a.Floats("weights"), a.Ints("indices"), a.Shape["columns"], a.Floats("target")),
    };

    /// <summary>Positions of flags.</summary>
    public static KernelOperation FindKept { get; } = new()
    {
        Name = "RowMoves.FindKept",
        Definition = "the i with keep[i] ≠ 0 in rising order, and how many",
        Shapes = [Rows(0), Rows(1), Rows(3), Rows(7), Rows(64), Rows(257), Rows(1000), Rows(8191)],
        Tolerance = 0,
        ToleranceReason = "Indices are exact.",
        BytesMoved = shape => 8L * shape["rows"] + 4,
        OperationCount = shape => shape["rows"],
        Fill = arguments =>
        {
            arguments.AddInts("keep", arguments.Shape["rows"], 3);
            arguments.Add<int>("indices", KernelBufferRole.Output, arguments.Shape["rows"]);
            arguments.Add<int>("count", KernelBufferRole.Output, 1);
        },
        Reference = a => a.Ints("count")[0] = RowMovesReference.FindKept(a.Ints("keep"), a.Ints("indices")),
        Simd = (_, a) => a.Ints("count")[0] = RowMoves.FindKept(a.Ints("keep"), a.Ints("indices")),
    };

    /// <summary>Kept rows moved to the front.</summary>
    public static KernelOperation Compact { get; } = new()
    {
        Name = "RowMoves.Compact",
        Definition = "rows[r] = rows[kept[r]], kept rising",
        Shapes =
        [
            Kept(4, 0, 8), Kept(1, 1, 1), Kept(5, 5, 31), Kept(9, 1, 16), Kept(9, 7, 64), Kept(23, 6, 127), Kept(40, 13, 576), Kept(64, 32, 2048),
        ],
        Tolerance = 0,
        ToleranceReason = "Values are copied.",
        BytesMoved = shape => (8L * shape["columns"] + 4) * shape["kept"],
        OperationCount = _ => 0,
        Fill = arguments =>
        {
            int rows = arguments.Shape["rows"], count = arguments.Shape["kept"];
            arguments.AddNoise("rows", rows * arguments.Shape["columns"], role: KernelBufferRole.InputOutput);
            var kept = arguments.Add<int>("kept", KernelBufferRole.Input, count);

            // One row of each of as many parts of nearly the same size: the last of the part, so that rows move.
            for (var i = 0; i < count; i++) kept[i] = (i + 1) * rows / count - 1;
        },
        Reference = a => RowMovesReference.Compact(a.Floats("rows"), a.Ints("kept"), a.Shape["columns"]),
        Simd = (_, a) => RowMoves.Compact(a.Floats("rows"), a.Ints("kept"), a.Shape["columns"]),
    };

    private static KernelShape Of(int rows, int indices, int columns) => new(("rows", rows), ("indices", indices), ("columns", columns));

    private static KernelShape Kept(int rows, int kept, int columns) => new(("rows", rows), ("kept", kept), ("columns", columns));

    private static KernelShape Rows(int rows) => new(("rows", rows));
}
