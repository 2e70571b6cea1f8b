using System.Runtime.InteropServices;
using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Dequantize;

/// <summary>Catalog entries of <see cref="Format.Decode"/> and <see cref="RowDecoding"/>.</summary>
public static class DequantizeCase
{
    /// <summary>One entry a format and float format.</summary>
    public static IReadOnlyList<KernelOperation> ByFormat { get; } =
        [.. from source in Format.All from target in new[] { Format.F32, Format.F16, Format.BF16 } select Create(source, target)];

    /// <summary>The name of an entry.</summary>
    public static string NameOf(Format source, Format target) => $"Dequantize.{source?.Name}.{target?.Name}";

    private static KernelOperation Create(Format source, Format target) => new()
    {
        Name = NameOf(source, target),
        Definition = "y = scale · code - minimum" + (target == Format.F32 ? "" : ", rounded to nearest, ties to even"),
        Shapes = [.. ShapesOf(source)],
        Tolerance = 0,
        ToleranceReason = "The same float operations: results are equal, bit by bit.",
        BytesMoved = shape => shape["rows"] * (source.RowBytes(shape["columns"]) + target.RowBytes(shape["columns"])),
        OperationCount = shape => 2 * shape.ValueCount(),
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            arguments.AddEncoded("x", source, shape["rows"], shape["columns"]);

            // Bytes and not floats, so that all bits are compared.
            arguments.Add<byte>("y", KernelBufferRole.Output, shape["rows"] * (int)target.RowBytes(shape["columns"]));
        },
        Reference = arguments =>
        {
            float[] values = DequantizeReference.Values(source, arguments.Bytes("x"));
            int size = target.BlockBytes;
            for (int i = 0; i < values.Length; i++)
            {
                var y = arguments.Bytes("y").Slice(i * size, size);
                if (target == Format.F32) BitConverter.TryWriteBytes(y, values[i]);
                else BitConverter.TryWriteBytes(y, target == Format.F16 ? BitConverter.HalfToUInt16Bits((Half)values[i]) : HalfPrecision.EncodeBF16(values[i]));
            }
        },
        Simd = (_, arguments) =>
        {
            var y = arguments.Bytes("y");
            if (target == Format.F32) source.Decode(arguments.Bytes("x"), MemoryMarshal.Cast<byte, float>(y));
            else if (target == Format.F16) RowDecoding.ToF16(source, arguments.Bytes("x"), MemoryMarshal.Cast<byte, ushort>(y));
            else RowDecoding.ToBF16(source, arguments.Bytes("x"), MemoryMarshal.Cast<byte, ushort>(y));
        },
    };

    private static IEnumerable<KernelShape> ShapesOf(Format format)
    {
        // One block, nothing, an odd number of blocks, more than a chunk of the kernel; and odd lengths for the formats without blocks.
        yield return RowShapes.Of(1, format.BlockLength);
        yield return RowShapes.Of(0, format.BlockLength);
        yield return RowShapes.Of(3, 3 * format.BlockLength);
        if (format.BlockLength == 1)
        {
            yield return RowShapes.Of(3, 31);
            yield return RowShapes.Of(2, 1003);
        }

        yield return RowShapes.Of(2, 1024 + (2 * format.BlockLength));
    }
}
