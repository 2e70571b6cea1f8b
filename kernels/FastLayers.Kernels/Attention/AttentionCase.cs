using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Catalog entries of <see cref="AttentionSimd"/>: one sequence, its last rows attending, keys and values appended first.</summary>
public static unsafe class AttentionCase
{
    internal const int KvHeads = 2;

    private const double FloatTolerance = 1e-11;
    private const string FloatReason = "Float dot products of a head, a softmax computed page by page, float sums over the positions.";

    /// <summary>Queries and weights of 15 bits are off by at most 2^-16 of the largest of a block or page; on noise the error is 2e-8.</summary>
    private const double ShortTolerance = 1e-7;
    private const string ShortReason = "Queries and weights rounded to 15 bits and a sign, with a scale a block of 32 or a page of 64.";

    /// <summary>Queries of 7 bits are off by at most 2^-8 of the largest of a block, keys of q4_0 by 2^-4; on noise, whose scores reach far, the error is 2e-4.</summary>
    private const double ByteTolerance = 1e-3;
    private const string ByteReason = "Queries rounded to 7 bits and a sign in blocks of 32, about a hundredth of what rounding the keys to 4 bits adds; weights to 15 bits.";

    /// <summary>One entry a cache format, rounded or not where it is packed, one with keys and values in different formats, and one with soft-capped scores.</summary>
    public static IReadOnlyList<KernelOperation> All { get; } =
    [
        Create("Attention.f32", Format.F32, Format.F32, 0), Create("Attention.f16", Format.F16, Format.F16, 0), Create("Attention.Softcap", Format.F32, Format.F32, 2.5f),
        Create("Attention.q8_0", Format.Q8_0, Format.Q8_0, 0), Create("Attention.q4_0", Format.Q4_0, Format.Q4_0, 0),
        Create("Attention.q8_0.q4_0", Format.Q8_0, Format.Q4_0, 2.5f), Create("Attention.f16.q4_0", Format.F16, Format.Q4_0, 0), Create("Attention.q4_0.f32", Format.Q4_0, Format.F32, 0),
        Create("Attention.q8_0.Exact", Format.Q8_0, Format.Q8_0, 0, exact: true), Create("Attention.q4_0.Exact", Format.Q4_0, Format.Q4_0, 0, exact: true),
    ];

    private static KernelOperation Create(string name, Format keyFormat, Format valueFormat, float softCap, bool exact = false) => new()
    {
        Name = name,
        Definition = "y = softmax(q·Kᵀ / √d) V over the positions from first to the row's own" + (softCap > 0 ? ", scores capped to 2.5" : ""),
        // Rows alone and together; every tile of query heads; tails of tokens; windows; contexts of several pages and of several parts.
        Shapes =
        [
            Of(1, 1, 32, 1, 0), Of(0, 10, 32, 1, 0), Of(1, 31, 64, 1, 0), Of(1, 32, 64, 2, 0), Of(1, 33, 64, 4, 0), Of(1, 257, 64, 8, 0), Of(1, 130, 32, 12, 40), Of(1, 70, 96, 3, 0),
            Of(5, 200, 64, 3, 0), Of(4, 131, 32, 1, 5), Of(1, 1100, 64, 5, 600), Of(2, 1500, 128, 2, 0), Of(1, 150, 256, 7, 0), Of(23, 300, 64, 5, 100),
            .. keyFormat.BlockLength > 1 || valueFormat.BlockLength > 1 ? (KernelShape[])[] : [Of(1, 1, 8, 1, 0), Of(3, 70, 20, 2, 0), Of(4, 131, 33, 1, 5)],
        ],
        MeasuredShapes = [Of(1, 4096, 64, 8, 0), Of(64, 1024, 64, 8, 0)],
        Tolerance = exact ? FloatTolerance : keyFormat == Format.Q4_0 ? ByteTolerance : keyFormat.BlockLength > 1 || valueFormat.BlockLength > 1 ? ShortTolerance : FloatTolerance,
        ToleranceReason = exact ? FloatReason : keyFormat == Format.Q4_0 ? ByteReason : keyFormat.BlockLength > 1 || valueFormat.BlockLength > 1 ? ShortReason : FloatReason,
        BytesMoved = shape => (shape["rows"] * 8L * KvHeads * shape["group"] * shape["size"]) + (KvHeads * shape["tokens"] * (keyFormat.RowBytes(shape["size"]) + valueFormat.RowBytes(shape["size"]))),
        OperationCount = shape => 4L * shape["rows"] * KvHeads * shape["group"] * shape["tokens"] * shape["size"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            int pages = Pages(shape);
            int rows = pages * KvHeads * PagedCache.PageLength;
            arguments.Add<byte>("keys", KernelBufferRole.Input, rows * (int)keyFormat.RowBytes(shape["size"]));
            arguments.Add<byte>("values", KernelBufferRole.Input, rows * (int)valueFormat.RowBytes(shape["size"]));
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

            AppendKv.Append(CallingThread.Pool, Cache(arguments, keyFormat, valueFormat), Floats(arguments, "k"), Floats(arguments, "v"), Ints(arguments, "sequences"), Ints(arguments, "positions"), shape["tokens"]);
        },
        Reference = arguments =>
        {
            var y = arguments.Floats("y");
            var sums = new double[y.Length];
            AttentionReference.Attend(Operands(arguments, keyFormat, valueFormat, softCap, exact), sums);
            for (int i = 0; i < sums.Length; i++) y[i] = (float)sums[i];
        },
        Simd = (level, arguments) =>
        {
            var operands = Operands(arguments, keyFormat, valueFormat, softCap, exact);
            float* workspace = stackalloc float[(int)AttentionSimd.WorkspaceLength(operands)];
            AttentionSimd.Attend(CallingThread.Pool, operands, workspace, level);
        },
    };

    private static AttentionArguments Operands(KernelArguments arguments, Format keyFormat, Format valueFormat, float softCap, bool exact) => new()
    {
        Cache = Cache(arguments, keyFormat, valueFormat),
        Query = Floats(arguments, "q"),
        Output = Floats(arguments, "y"),
        Sequences = Ints(arguments, "sequences"),
        First = Ints(arguments, "first"),
        End = Ints(arguments, "end"),
        Rows = arguments.Shape["rows"],
        Heads = KvHeads * arguments.Shape["group"],
        Scale = 1f / MathF.Sqrt(arguments.Shape["size"]),
        SoftCap = softCap,
        Exact = exact,
    };

    private static PagedCache Cache(KernelArguments arguments, Format keyFormat, Format valueFormat) => new()
    {
        Keys = arguments["keys"].Pointer,
        Values = arguments["values"].Pointer,
        PageTable = Ints(arguments, "pages"),
        PagesPerSequence = Pages(arguments.Shape),
        Heads = KvHeads,
        KeySize = arguments.Shape["size"],
        ValueSize = arguments.Shape["size"],
        KeyFormat = keyFormat,
        ValueFormat = valueFormat,
    };

    private static int Pages(KernelShape shape) => (shape["tokens"] + PagedCache.PageLength - 1) / PagedCache.PageLength;

    private static float* Floats(KernelArguments arguments, string name) => (float*)arguments[name].Pointer;

    private static int* Ints(KernelArguments arguments, string name) => (int*)arguments[name].Pointer;

    private static KernelShape Of(int rows, int tokens, int size, int group, int window) =>
        new(("rows", rows), ("tokens", tokens), ("size", size), ("group", group), ("window", window));
}
