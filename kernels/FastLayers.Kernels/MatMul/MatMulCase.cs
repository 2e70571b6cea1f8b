using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Emit;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.MatMul;

/// <summary>Catalog entries of <see cref="MatMulSimdFloat"/> and <see cref="MatMulSimdInt8"/>.</summary>
public static unsafe class MatMulCase
{
    /// <summary>Rows of weights that are encoded; a matrix to measure with repeats them, since searching for scales takes longer than the product.</summary>
    private const int MostDistinctRows = 64;

    /// <summary>Float activations, one entry a format.</summary>
    public static IReadOnlyList<KernelOperation> FloatByFormat { get; } = [.. Format.All.Select(format => Create(
        format, "MatMul.Float", "x", "Float sums of the columns in 4 to 16 parts.", (level, arguments) => MatMulSimdFloat.Multiply(CallingThread.Pool, Operands(format, arguments), level)))];

    /// <summary>8-bit activations, one entry a block format; the definition gets the activations as they were rounded.</summary>
    public static IReadOnlyList<KernelOperation> Int8ByFormat { get; } = [.. Format.All.Where(MatMulSimdInt8.Supports).Select(format => Create(
        format, "MatMul.Int8", "scale · code", "The integers are exact; float sums of one value a block.", (level, arguments) => MatMulSimdInt8.Multiply(CallingThread.Pool, Operands(format, arguments), Rounded(arguments), level)))];

    /// <summary>8-bit activations and interleaved rows, one entry a format that has such a layout on this processor.</summary>
    public static IReadOnlyList<KernelOperation> InterleavedByFormat { get; } = [.. Format.All.Where(format => InterleavedLayout.For(format) is not null).Select(format => CreateInterleaved(
        format, "MatMul.Interleaved", (_, arguments, memory) => MatMulSimdInterleaved.MultiplyArranged(CallingThread.Pool, [arguments], memory)))];

    /// <summary>The same by emitted kernels, one entry a set of instructions and format; what this processor cannot run says so.</summary>
    public static IReadOnlyList<KernelOperation> EmittedByFormat { get; } =
    [
        .. from isa in Enum.GetValues<EmittedIsa>()
           from storage in InterleavedStorage.All
           where InterleavedLayout.For(storage.Format) is not null
           select CreateInterleaved(
               storage.Format, $"MatMul.Emitted.{isa}",
               (layout, arguments, memory) => layout.Multiply(EmittedKernels.For(storage.Format, isa)!, arguments, memory, 0, InterleavedLayout.Tiles(arguments.Outputs)), EmittedKernels.ReasonAgainst(isa)),
    ];

    /// <summary>Rounding activations to 8 bit.</summary>
    public static KernelOperation Quantize { get; } = new()
    {
        Name = "QuantizeActivations",
        Definition = "code = round(127 · x / max|x|), scale = max|x| / 127 over 32 values; sums of scale · code over 16 and 32",
        Shapes = [RowsOf(1, 32), RowsOf(0, 64), RowsOf(3, 96), RowsOf(2, 4096)],
        Tolerance = 0,
        ToleranceReason = "The same float operations; ties to even.",
        BytesMoved = shape => (4L * shape["rows"] * shape["columns"]) + QuantizedActivations.Bytes(shape["rows"], shape["columns"]),
        OperationCount = shape => 5L * shape["rows"] * shape["columns"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("x", shape["rows"] * shape["columns"]);
            arguments.Add<byte>("rounded", KernelBufferRole.Output, (int)QuantizedActivations.Bytes(shape["rows"], shape["columns"]));
        },
        Reference = arguments => QuantizeReference.Rows(arguments.Floats("x"), Rounded(arguments)),
        Simd = (_, arguments) => ActivationQuantizer.Quantize(CallingThread.Pool, (float*)arguments["x"].Pointer, Rounded(arguments)),
    };

    private static KernelOperation Create(Format format, string name, string activation, string reason, Action<SimdLevel, KernelArguments> simd, Action<KernelArguments>? prepare = null, string? reasonToSkip = null) => new()
    {
        Name = $"{name}.{format.Name}",
        Definition = $"y[m, n] = bias[n] + Σ_k ({activation})[m, k] · w[n, k]",
        Shapes = [.. ShapesOf(format)],
        MeasuredShapes = [Of(1, 4096, 4096), Of(128, 1024, 4096)],
        Tolerance = 1e-11,
        ToleranceReason = reason,
        // A few sums of many products can all be small by chance.
        Magnitude = 4,
        BytesMoved = shape => (shape["outputs"] * format.RowBytes(shape["columns"])) + (4L * shape["rows"] * (shape["columns"] + shape["outputs"])),
        OperationCount = shape => 2L * shape["rows"] * shape["outputs"] * shape["columns"],
        Arithmetic = activation == "x" ? KernelArithmetic.Float : KernelArithmetic.Int8,
        Fill = arguments =>
        {
            FillProduct(format, activation != "x", arguments);
            prepare?.Invoke(arguments);
        },
        Reference = arguments =>
        {
            var y = arguments.Floats("y");
            var sums = new double[y.Length];
            MatMulReference.Multiply(format, arguments.Bytes("w"), arguments.Floats("bias"), arguments.Floats("x"), sums, arguments.Shape["outputs"], arguments.Shape["columns"]);
            for (int i = 0; i < sums.Length; i++) y[i] = (float)sums[i];
        },
        Simd = simd,
        ReasonToSkip = reasonToSkip,
    };

    private static void FillProduct(Format format, bool isRounded, KernelArguments arguments)
    {
        var shape = arguments.Shape;
        arguments.AddEncoded("w", format, shape["outputs"], shape["columns"], MostDistinctRows);
        arguments.AddNoise("bias", shape["outputs"]);
        arguments.AddNoise("x", shape["rows"] * shape["columns"]);
        if (isRounded)
        {
            arguments.Add<byte>("rounded", KernelBufferRole.Input, (int)QuantizedActivations.Bytes(shape["rows"], shape["columns"]));
            var rounded = Rounded(arguments);
            QuantizeReference.Rows(arguments.Floats("x"), rounded);
            for (int i = 0; i < arguments.Floats("x").Length; i++) arguments.Floats("x")[i] = rounded.Scales[i / QuantizedActivations.BlockLength] * rounded.Codes[i];
        }

        arguments.Add<float>("y", KernelBufferRole.Output, shape["rows"] * shape["outputs"]);
    }

    private delegate void Product(InterleavedLayout layout, MatMulArguments arguments, byte* memory);

    private static KernelOperation CreateInterleaved(Format format, string name, Product multiply, string? reasonToSkip = null)
    {
        var layout = InterleavedLayout.For(format)!;
        return Create(
            format, name, layout.RoundsActivations ? "scale · code" : "x",
            layout.RoundsActivations ? "The integers are exact; float sums of one value a block." : "A float sum of all columns.",
            (_, arguments) => multiply(layout, OperandsOf(format, arguments, arguments["interleaved"].Pointer), arguments["activations"].Pointer),
            arguments =>
            {
                var (rows, outputs, columns) = (arguments.Shape["rows"], arguments.Shape["outputs"], arguments.Shape["columns"]);
                arguments.Add<byte>("interleaved", KernelBufferRole.Input, (int)layout.Bytes(outputs, columns));
                layout.Interleave(CallingThread.Pool, arguments["w"].Pointer, outputs, columns, arguments["interleaved"].Pointer);
                arguments.Add<byte>("activations", KernelBufferRole.Input, (int)layout.ActivationBytes(rows, columns));
                layout.Arrange(CallingThread.Pool, (float*)arguments["x"].Pointer, rows, columns, arguments["activations"].Pointer);
            },
            reasonToSkip);
    }

    private static QuantizedActivations Rounded(KernelArguments arguments) =>
        new(arguments["rounded"].Pointer, arguments.Shape["rows"], arguments.Shape["columns"]);

    private static MatMulArguments Operands(Format format, KernelArguments arguments) => OperandsOf(format, arguments, arguments["w"].Pointer);

    private static MatMulArguments OperandsOf(Format format, KernelArguments arguments, byte* weights) => new()
    {
        Format = format,
        Weights = weights,
        Bias = (float*)arguments["bias"].Pointer,
        Input = (float*)arguments["x"].Pointer,
        Output = (float*)arguments["y"].Pointer,
        Rows = arguments.Shape["rows"],
        Outputs = arguments.Shape["outputs"],
        Columns = arguments.Shape["columns"],
        Code = KernelCode.Compiled,
    };

    private static IEnumerable<KernelShape> ShapesOf(Format format)
    {
        // Decode and prefill, one output, odd numbers of rows, a model's width; and odd lengths for the formats without blocks.
        yield return Of(1, 5, format.BlockLength);
        yield return Of(3, 4, 3 * format.BlockLength);
        yield return Of(7, 1, 256);
        yield return Of(0, 3, format.BlockLength);
        if (format.BlockLength == 1)
        {
            yield return Of(2, 6, 37);
            yield return Of(5, 3, 172);
            yield return Of(1, 6, 37);
        }

        // Enough rows for tiles, with tails in all three sizes where the format allows them.
        yield return Of(11, 18, format.BlockLength == 1 ? 70 : Math.Max(format.BlockLength, 64));
        yield return Of(33, 5, Math.Max(format.BlockLength, 64));
        yield return Of(130, 9, Math.Max(format.BlockLength, 64));
        yield return Of(1, 33, 2048);
    }

    private static KernelShape RowsOf(int rows, int columns) => new(("rows", rows), ("columns", columns));

    private static KernelShape Of(int rows, int outputs, int columns) => new(("rows", rows), ("outputs", outputs), ("columns", columns));
}
