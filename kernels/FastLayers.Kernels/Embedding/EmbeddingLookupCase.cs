using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Embedding;

/// <summary>Catalog entries of <see cref="EmbeddingLookup"/>.</summary>
public static class EmbeddingLookupCase
{
    internal const float Scale = 0.3f;
    internal const int TableRows = 9;

    /// <summary>One entry a format.</summary>
    public static IReadOnlyList<KernelOperation> ByFormat { get; } = [.. Format.All.Select(Create)];

    private static KernelOperation Create(Format format) => new()
    {
        Name = $"EmbeddingLookup.{format.Name}",
        Definition = "y[t] = scale · table[tokens[t]]",
        Shapes = [.. ShapesOf(format)],
        Tolerance = 1e-14,
        ToleranceReason = "One float rounding after the format's own arithmetic, which is repeated exactly.",
        BytesMoved = shape => shape["tokens"] * (format.RowBytes(shape["columns"]) + 4 + 4L * shape["columns"]),
        OperationCount = shape => 3L * shape["tokens"] * shape["columns"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddEncoded("table", format, TableRows, shape["columns"]);
            arguments.AddInts("tokens", shape["tokens"], TableRows);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["tokens"] * shape["columns"]);
        },
        Reference = arguments =>
        {
            var columns = arguments.Shape["columns"];
            var rowBytes = (int)format.RowBytes(columns);
            for (var t = 0; t < arguments.Shape["tokens"]; t++)
            {
                var row = arguments.Bytes("table").Slice(arguments.Ints("tokens")[t] * rowBytes, rowBytes);
                EmbeddingLookupReference.Row(format, row, Scale, arguments.Row("y", t, columns));
            }
        },
        Simd = (level, arguments) => Run(format, level, arguments),
    };

    private static unsafe void Run(Format format, SimdLevel level, KernelArguments arguments) =>
        EmbeddingLookup.Rows(
            level, format, arguments["table"].Pointer, TableRows, arguments.Ints("tokens"), Scale, arguments.Floats("y"));

    private static IEnumerable<KernelShape> ShapesOf(Format format)
    {
        // One block, one more than a chunk of the kernel, a model's width; and odd lengths for the formats without blocks.
        yield return Of(0, format.BlockLength);
        yield return Of(1, format.BlockLength);
        yield return Of(3, 256 + format.BlockLength);
        yield return Of(5, 2048);
        if (format.BlockLength != 1) yield break;
        yield return Of(2, 31);
        yield return Of(3, 1003);
    }

    private static KernelShape Of(int tokens, int columns) => new(("tokens", tokens), ("columns", columns));
}
