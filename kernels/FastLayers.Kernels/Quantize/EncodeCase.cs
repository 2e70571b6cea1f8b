using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Quantize;

/// <summary>
/// Catalog entries of <see cref="Format.Encode"/> for the formats whose rule leaves no choice, so that other devices must give the same
/// bytes. On the CPU <see cref="Format.Encode"/> is its own definition: there the entry compares encoding block by block with encoding all
/// rows at once.
/// </summary>
public static class EncodeCase
{
    /// <summary>The formats with a fixed rule.</summary>
    public static IReadOnlyList<Format> Formats { get; } =
    [
        Format.F16, Format.BF16, Format.Q4_0, Format.Q4_1, Format.Q5_0, Format.Q5_1, Format.Q8_0, Format.Q8_1, Format.Q8_K,
        Format.TQ1_0, Format.TQ2_0, Format.MXFP4, Format.NVFP4, Format.Q1_0, Format.Q2_0,
    ];

    /// <summary>One entry a format.</summary>
    public static IReadOnlyList<KernelOperation> ByFormat { get; } = [.. Formats.Select(Create)];

    /// <summary>The name of an entry.</summary>
    public static string NameOf(Format format) => $"Encode.{format?.Name}";

    private static KernelOperation Create(Format format) => new()
    {
        Name = NameOf(format),
        Definition = "y = the blocks of x, by the rule of the format",
        Shapes = [RowShapes.Of(1, format.BlockLength), RowShapes.Of(0, format.BlockLength), RowShapes.Of(5, 3 * format.BlockLength), RowShapes.Of(6, 1024)],
        Tolerance = 0,
        ToleranceReason = "The same float operations, roundings included: bytes are equal.",
        BytesMoved = shape => shape.FloatBytes() + (shape["rows"] * format.RowBytes(shape["columns"])),
        OperationCount = shape => 4 * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddNoise("x", shape["rows"] * shape["columns"]);
            for (int row = 1; row < shape["rows"]; row++) FillSpecial(arguments, row);
            arguments.Add<byte>("y", KernelBufferRole.Output, shape["rows"] * (int)format.RowBytes(shape["columns"]));
        },
        Reference = arguments =>
        {
            for (int block = 0; block < arguments.Floats("x").Length / format.BlockLength; block++)
                format.Encode(arguments.Floats("x").Slice(block * format.BlockLength, format.BlockLength), arguments.Bytes("y").Slice(block * format.BlockBytes, format.BlockBytes));
        },
        Simd = (_, arguments) => format.Encode(arguments.Floats("x"), arguments.Bytes("y")),
    };

    /// <summary>Rows where roundings meet halves: zeros of both signs, halves up to 127 and up to 8, subnormal scales; the others stay noise.</summary>
    private static void FillSpecial(KernelArguments arguments, int row)
    {
        foreach (ref float value in arguments.Row("x", row, arguments.Shape["columns"]))
        {
            int whole = (int)(arguments.Next() % 255) - 127;
            if (row == 1) value = whole < 0 ? -0f : 0;
            if (row == 2) value = whole % 4 == 0 ? 127 * Math.Sign(whole) : whole * 0.5f;
            if (row == 3) value = whole % 17 * 0.5f;
            if (row == 4) value = whole * 1e-9f;
        }
    }
}
