using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entries of <see cref="AttentionColumnSums"/> over keys that lie one after the other; see <see cref="PagedColumnSumsCase"/>.</summary>
public static class AttentionColumnSumsCase
{
    /// <summary>With a causal mask, as in a decoder, and without, as in an encoder.</summary>
    public static IReadOnlyList<KernelOperation> ByMask { get; } = [Create("AttentionColumnSums.Causal", true), Create("AttentionColumnSums.Full", false)];

    internal static AttentionColumnShape ShapeOf(KernelShape shape) => new()
    {
        Rows = shape["rows"],
        Tokens = shape["tokens"],
        Heads = shape["keyHeads"] * shape["group"],
        KeyHeads = shape["keyHeads"],
        Size = shape["size"],
        Scale = 1f / MathF.Sqrt(shape["size"]),
    };

    private static KernelOperation Create(string name, bool causal) => new()
    {
        Name = name,
        Definition = "y[i] = mean over rows and heads of softmax(q·Kᵀ / √d)[i]" + (causal ? ", keys up to the row's position" : ""),
        // One key; one row; head groups; blocks of keys and their tails; odd heads; rows in fours and their tails.
        Shapes = [Of(1, 1, 1, 1, 1), Of(1, 5, 1, 1, 8), Of(3, 64, 1, 2, 4), Of(4, 65, 2, 1, 7), Of(7, 63, 2, 3, 33), Of(9, 200, 2, 2, 16), Of(5, 150, 1, 4, 64)],
        MeasuredShapes = [Of(48, 640, 8, 4, 128)],
        Tolerance = 1e-11,
        ToleranceReason = "Float dot products of a head in the exponent, float sums over rows and heads.",
        BytesMoved = shape => 4L * ((shape["rows"] * (long)shape["keyHeads"] * shape["group"] * shape["size"]) + (shape["tokens"] * (long)shape["keyHeads"] * shape["size"]) + shape["tokens"]),
        OperationCount = shape => 4L * shape["rows"] * shape["keyHeads"] * shape["group"] * shape["tokens"] * shape["size"],
        Fill = arguments =>
        {
            var shape = ShapeOf(arguments.Shape);
            arguments.AddNoise("query", shape.Rows * shape.Heads * shape.Size);
            arguments.AddNoise("keys", shape.Tokens * shape.KeyHeads * shape.Size);
            var positions = arguments.Add<int>("positions", KernelBufferRole.Input, causal ? shape.Rows : 0);

            // Rows not all at the end, and not in order.
            for (int row = 0; row < positions.Length; row++) positions[row] = shape.Tokens - 1 - (row * 5 % shape.Tokens);
            arguments.Add<float>("y", KernelBufferRole.Output, shape.Tokens);
        },
        Reference = a =>
        {
            double[] scores = new double[a.Shape["tokens"]];
            AttentionColumnSumsReference.Compute(a.Floats("query"), a.Floats("keys"), a.Ints("positions"), ShapeOf(a.Shape), scores);
            for (int i = 0; i < scores.Length; i++) a.Floats("y")[i] = (float)scores[i];
        },
        Simd = (level, a) =>
        {
            var shape = ShapeOf(a.Shape);
            Span<float> scratch = stackalloc float[shape.ScratchLength];
            AttentionColumnSums.Compute(level, CallingThread.Pool, a.Floats("query"), a.Floats("keys"), a.Ints("positions"), shape, scratch, a.Floats("y"));
        },
    };

    private static KernelShape Of(int rows, int tokens, int keyHeads, int group, int size) =>
        new(("rows", rows), ("tokens", tokens), ("keyHeads", keyHeads), ("group", group), ("size", size));
}
