using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Catalog entries of <see cref="AttentionSimd"/>: one sequence, its last rows attending, keys and values appended first.</summary>
public static unsafe class AttentionCase
{
    internal const int KvHeads = 2;

    /// <summary>One entry a cache format, and one with soft-capped scores.</summary>
    public static IReadOnlyList<KernelOperation> All { get; } = [Create("Attention.f32", false, 0), Create("Attention.f16", true, 0), Create("Attention.Softcap", false, 2.5f)];

    private static KernelOperation Create(string name, bool half, float softCap) => new()
    {
        Name = name,
        Definition = "y = softmax(q·Kᵀ / √d) V over the positions from first to the row's own" + (softCap > 0 ? ", scores capped to 2.5" : ""),
        Shapes = [Of(1, 1, 8, 1, 0), Of(0, 10, 16, 1, 0), Of(3, 70, 20, 2, 0), Of(5, 200, 64, 3, 0), Of(4, 131, 33, 1, 5), Of(2, 1500, 128, 2, 0)],
        Tolerance = 1e-11,
        ToleranceReason = "Float dot products of a head, a softmax computed page by page, float sums over the positions.",
        BytesMoved = shape => (shape["rows"] * 8L * KvHeads * shape["group"] * shape["size"]) + ((half ? 4L : 8L) * KvHeads * shape["tokens"] * shape["size"]),
        OperationCount = shape => 4L * shape["rows"] * KvHeads * shape["group"] * shape["tokens"] * shape["size"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            int pages = Pages(shape);
            int values = pages * KvHeads * PagedCache.PageLength * shape["size"];
            arguments.Add<byte>("keys", KernelBufferRole.Input, values * (half ? 2 : 4));
            arguments.Add<byte>("values", KernelBufferRole.Input, values * (half ? 2 : 4));
            arguments.Add<int>("pages", KernelBufferRole.Input, pages);
            arguments.Add<int>("sequences", KernelBufferRole.Input, shape["tokens"]);
            arguments.Add<int>("positions", KernelBufferRole.Input, shape["tokens"]);
            arguments.Add<int>("first", KernelBufferRole.Input, shape["rows"]);
            arguments.Add<int>("end", KernelBufferRole.Input, shape["rows"]);
            arguments.AddNoise("q", shape["rows"] * KvHeads * shape["group"] * shape["size"]);
            arguments.AddNoise("k", shape["tokens"] * KvHeads * shape["size"]);
            arguments.AddNoise("v", shape["tokens"] * KvHeads * shape["size"]);
            arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * KvHeads * shape["group"] * shape["size"]);
            for (int page = 0; page < pages; page++) arguments.Ints("pages")[page] = pages - 1 - page;
            arguments.Ints("sequences").Clear();
            for (int i = 0; i < shape["tokens"]; i++) arguments.Ints("positions")[i] = i;
            for (int row = 0; row < shape["rows"]; row++)
            {
                int position = shape["tokens"] - shape["rows"] + row;
                arguments.Ints("first")[row] = shape["window"] > 0 ? Math.Max(0, position - shape["window"] + 1) : 0;
                arguments.Ints("end")[row] = position + 1;
            }

            AppendKv.Append(CallingThread.Pool, Cache(arguments, half), Floats(arguments, "k"), Floats(arguments, "v"), Ints(arguments, "sequences"), Ints(arguments, "positions"), shape["tokens"]);
        },
        Reference = arguments =>
        {
            var y = arguments.Floats("y");
            var sums = new double[y.Length];
            AttentionReference.Attend(Operands(arguments, half, softCap), sums);
            for (int i = 0; i < sums.Length; i++) y[i] = (float)sums[i];
        },
        Simd = (level, arguments) => AttentionSimd.Attend(CallingThread.Pool, Operands(arguments, half, softCap), level),
    };

    private static AttentionArguments Operands(KernelArguments arguments, bool half, float softCap) => new()
    {
        Cache = Cache(arguments, half),
        Query = Floats(arguments, "q"),
        Output = Floats(arguments, "y"),
        Sequences = Ints(arguments, "sequences"),
        First = Ints(arguments, "first"),
        End = Ints(arguments, "end"),
        Rows = arguments.Shape["rows"],
        Heads = KvHeads * arguments.Shape["group"],
        Scale = 1f / MathF.Sqrt(arguments.Shape["size"]),
        SoftCap = softCap,
    };

    private static PagedCache Cache(KernelArguments arguments, bool half) => new()
    {
        Keys = arguments["keys"].Pointer,
        Values = arguments["values"].Pointer,
        PageTable = Ints(arguments, "pages"),
        PagesPerSequence = Pages(arguments.Shape),
        Heads = KvHeads,
        KeySize = arguments.Shape["size"],
        ValueSize = arguments.Shape["size"],
        IsHalf = half,
    };

    private static int Pages(KernelShape shape) => (shape["tokens"] + PagedCache.PageLength - 1) / PagedCache.PageLength;

    private static float* Floats(KernelArguments arguments, string name) => (float*)arguments[name].Pointer;

    private static int* Ints(KernelArguments arguments, string name) => (int*)arguments[name].Pointer;

    private static KernelShape Of(int rows, int tokens, int size, int group, int window) =>
        new(("rows", rows), ("tokens", tokens), ("size", size), ("group", group), ("window", window));
}
