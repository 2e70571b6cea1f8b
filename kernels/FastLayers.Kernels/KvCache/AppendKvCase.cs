using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Catalog entries of <see cref="AppendKv"/>: rows of two sequences in turn, at the end of their pages, into a cache that must stay as it
/// was everywhere else.
/// </summary>
public static unsafe class AppendKvCase
{
    private const int Heads = 2;
    private const int Sequences = 2;

    /// <summary>One entry a cache format.</summary>
    public static IReadOnlyList<KernelOperation> ByElement { get; } =
    [
        Create("AppendKv.f32", Format.F32, Format.F32), Create("AppendKv.f16", Format.F16, Format.F16), Create("AppendKv.q8_0", Format.Q8_0, Format.Q8_0),
        Create("AppendKv.q4_0", Format.Q4_0, Format.Q4_0), Create("AppendKv.q8_0.q4_0", Format.Q8_0, Format.Q4_0),
    ];

    private static KernelOperation Create(string name, Format keyFormat, Format valueFormat) => new()
    {
        Name = name,
        Definition = "cache[sequences[r], positions[r]] = keys[r], values[r]" + (keyFormat == Format.F32 ? "" : $", stored as {keyFormat} and {valueFormat}"),
        Shapes = keyFormat.BlockLength > 1
            ? [Of(1, 32, 32), Of(0, 32, 64), Of(3, 64, 32), Of(7, 96, 160), Of(130, 64, 64), Of(512, 64, 64)]
            : [Of(1, 1, 1), Of(0, 8, 8), Of(3, 20, 12), Of(7, 33, 40), Of(130, 64, 64), Of(16, 128, 128), Of(512, 64, 64)],
        Tolerance = 0,
        ToleranceReason = "Bytes must be equal: values are copied, rounded once, or encoded as the format says.",
        BytesMoved = shape => shape["rows"] * (8L + (Heads * ((4L * (shape["keySize"] + shape["valueSize"])) + keyFormat.RowBytes(shape["keySize"]) + valueFormat.RowBytes(shape["valueSize"])))),
        OperationCount = _ => 0,
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            int rows = shape["rows"], pages = Sequences * PagesPerSequence(shape);
            arguments.AddNoise("newKeys", rows * Heads * shape["keySize"]);
            arguments.AddNoise("newValues", rows * Heads * shape["valueSize"]);
            arguments.Add<byte>("keys", KernelBufferRole.InputOutput, pages * Heads * PagedCache.PageLength * (int)keyFormat.RowBytes(shape["keySize"]));
            arguments.Add<byte>("values", KernelBufferRole.InputOutput, pages * Heads * PagedCache.PageLength * (int)valueFormat.RowBytes(shape["valueSize"]));
            var table = arguments.Add<int>("pages", KernelBufferRole.Input, pages);
            for (int page = 0; page < pages; page++) table[page] = pages - 1 - page;
            var sequences = arguments.Add<int>("sequences", KernelBufferRole.Input, rows);
            var positions = arguments.Add<int>("positions", KernelBufferRole.Input, rows);
            int end = PagesPerSequence(shape) * PagedCache.PageLength;
            for (int row = 0; row < rows; row++)
            {
                sequences[row] = row % Sequences;
                positions[row] = end - 1 - ((rows - 1 - row) / Sequences);
            }
        },
        Reference = arguments => AppendKvReference.Append(
            Cache(arguments, keyFormat, valueFormat), arguments.Floats("newKeys"), arguments.Floats("newValues"), arguments.Ints("sequences"), arguments.Ints("positions")),
        Simd = (_, arguments) => AppendKv.Append(
            CallingThread.Pool, Cache(arguments, keyFormat, valueFormat), (float*)arguments["newKeys"].Pointer, (float*)arguments["newValues"].Pointer,
            (int*)arguments["sequences"].Pointer, (int*)arguments["positions"].Pointer, arguments.Shape["rows"]),
    };

    private static PagedCache Cache(KernelArguments arguments, Format keyFormat, Format valueFormat) => new()
    {
        Keys = arguments["keys"].Pointer,
        Values = arguments["values"].Pointer,
        PageTable = (int*)arguments["pages"].Pointer,
        PagesPerSequence = PagesPerSequence(arguments.Shape),
        Heads = Heads,
        KeySize = arguments.Shape["keySize"],
        ValueSize = arguments.Shape["valueSize"],
        KeyFormat = keyFormat,
        ValueFormat = valueFormat,
    };

    /// <summary>Room for every row of a sequence, and a page that must not change.</summary>
    private static int PagesPerSequence(KernelShape shape) => (shape["rows"] / Sequences / PagedCache.PageLength) + 2;

    private static KernelShape Of(int rows, int keySize, int valueSize) => new(("rows", rows), ("keySize", keySize), ("valueSize", valueSize));
}
