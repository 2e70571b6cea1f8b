using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entries of <see cref="AttentionColumnSums"/> over a paged cache: one sequence, its last rows attending.</summary>
public static unsafe class PagedColumnSumsCase
{
    internal const float SoftCap = 2.5f;

    /// <summary>One entry an element of the cache, and one with soft-capped scores.</summary>
    public static IReadOnlyList<KernelOperation> All { get; } =
    [
        Create("AttentionColumnSums.Paged.f32", Format.F32, 0), Create("AttentionColumnSums.Paged.f16", Format.F16, 0), Create("AttentionColumnSums.Paged.q8_0", Format.Q8_0, 0),
        Create("AttentionColumnSums.Paged.q4_0", Format.Q4_0, 0), Create("AttentionColumnSums.Softcap", Format.F32, SoftCap),
    ];

    internal static int Heads(KernelShape shape) => shape["keyHeads"] * shape["group"];

    private static KernelOperation Create(string name, Format format, float softCap) => new()
    {
        Name = name,
        Definition = "y[i] = mean over rows and heads of softmax(q·Kᵀ / √d)[i] over the positions from first to the row's own" + (softCap > 0 ? ", scores capped to 2.5" : ""),
        // One key; one row; head groups; pages and their tails; odd heads; rows in fours and their tails; windows within and across pages.
        Shapes = format.BlockLength > 1 ? [Of(1, 1, 1, 1, 32, 0), Of(3, 65, 2, 2, 64, 3), Of(5, 130, 1, 2, 96, 70)] : [Of(1, 1, 1, 1, 1, 0), Of(1, 5, 1, 1, 8, 0), Of(3, 64, 1, 2, 4, 0), Of(4, 65, 2, 1, 7, 3), Of(7, 63, 2, 3, 33, 0), Of(5, 130, 1, 2, 16, 70)],
        MeasuredShapes = [Of(48, 640, 8, 4, 128, 0)],
        Tolerance = 1e-11,
        ToleranceReason = "Float dot products of a head in the exponent, float sums over rows and heads.",
        BytesMoved = shape => (4L * shape["rows"] * Heads(shape) * shape["size"]) + (shape["tokens"] * shape["keyHeads"] * format.RowBytes(shape["size"])) + (4L * shape["tokens"]),
        OperationCount = shape => 4L * shape["rows"] * Heads(shape) * shape["tokens"] * shape["size"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            int pages = Pages(shape), rows = shape["rows"];
            var keys = arguments.Add<byte>("keys", KernelBufferRole.Input, pages * shape["keyHeads"] * PagedCache.PageLength * (int)format.RowBytes(shape["size"]));

            // Behind the last token NaN, which nobody may see.
            keys.Fill(0xFF);
            var table = arguments.Add<int>("pages", KernelBufferRole.Input, pages);
            for (int page = 0; page < pages; page++) table[page] = pages - 1 - page;
            arguments.Add<int>("sequences", KernelBufferRole.Input, rows).Clear();
            var first = arguments.Add<int>("first", KernelBufferRole.Input, rows);
            var end = arguments.Add<int>("end", KernelBufferRole.Input, rows);
            for (int row = 0; row < rows; row++)
            {
                int position = shape["tokens"] - rows + row;
                first[row] = shape["window"] > 0 ? Math.Max(0, position - shape["window"] + 1) : 0;
                end[row] = position + 1;
            }

            arguments.AddNoise("query", rows * Heads(shape) * shape["size"]);
            var noise = arguments.AddNoise("k", shape["tokens"] * shape["keyHeads"] * shape["size"]);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["tokens"]);
            var cache = Cache(arguments, format);
            for (int row = 0; row < shape["tokens"] * shape["keyHeads"]; row++)
                format.Encode(noise.Slice(row * shape["size"], shape["size"]), new Span<byte>(cache.Key(0, row / shape["keyHeads"], row % shape["keyHeads"]), cache.KeyBytes));
        },
        Reference = arguments =>
        {
            double[] scores = new double[arguments.Shape["tokens"]];
            AttentionColumnSumsReference.Compute(Operands(arguments, format, softCap), scores);
            for (int i = 0; i < scores.Length; i++) arguments.Floats("y")[i] = (float)scores[i];
        },
        Simd = (level, arguments) =>
        {
            float* scratch = stackalloc float[2 * arguments.Shape["rows"] * Heads(arguments.Shape)];
            AttentionColumnSums.Compute(level, CallingThread.Pool, Operands(arguments, format, softCap), arguments.Shape["tokens"], scratch, (float*)arguments["y"].Pointer);
        },
    };

    private static AttentionArguments Operands(KernelArguments arguments, Format format, float softCap) => new()
    {
        Cache = Cache(arguments, format),
        Query = (float*)arguments["query"].Pointer,
        Output = null,
        Sequences = (int*)arguments["sequences"].Pointer,
        First = (int*)arguments["first"].Pointer,
        End = (int*)arguments["end"].Pointer,
        Rows = arguments.Shape["rows"],
        Heads = Heads(arguments.Shape),
        Scale = 1f / MathF.Sqrt(arguments.Shape["size"]),
        SoftCap = softCap,
    };

    private static PagedCache Cache(KernelArguments arguments, Format format) => new()
    {
        Keys = arguments["keys"].Pointer,
        Values = null,
        PageTable = (int*)arguments["pages"].Pointer,
        PagesPerSequence = Pages(arguments.Shape),
        Heads = arguments.Shape["keyHeads"],
        KeySize = arguments.Shape["size"],
        ValueSize = 0,
        KeyFormat = format,
        ValueFormat = format,
    };

    private static int Pages(KernelShape shape) => (shape["tokens"] + PagedCache.PageLength - 1) / PagedCache.PageLength;

    private static KernelShape Of(int rows, int tokens, int keyHeads, int group, int size, int window) =>
        new(("rows", rows), ("tokens", tokens), ("keyHeads", keyHeads), ("group", group), ("size", size), ("window", window));
}
