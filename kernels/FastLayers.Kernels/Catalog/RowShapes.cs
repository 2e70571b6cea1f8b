namespace FastLayers.Kernels.Catalog;

/// <summary>Shapes that every kernel over rows is tried with.</summary>
public static class RowShapes
{
    /// <summary>
    /// [rows, columns]: nothing, single values, lengths around the register widths and their fourfold, odd rows that start unaligned, and the
    /// widths of models.
    /// </summary>
    public static IReadOnlyList<KernelShape> All { get; } =
    [
        Of(0, 8), Of(1, 1), Of(1, 3), Of(1, 4), Of(1, 8), Of(1, 15), Of(1, 16), Of(1, 17), Of(3, 31), Of(2, 32), Of(2, 63), Of(2, 64),
        Of(5, 65), Of(3, 127), Of(4, 576), Of(2, 896), Of(7, 1000), Of(2, 4109), Of(32, 4096),
    ];

    /// <summary>The shape with these two sizes.</summary>
    public static KernelShape Of(int rows, int columns) => new(("rows", rows), ("columns", columns));

    /// <summary>rows · columns · 4.</summary>
    public static long FloatBytes(this KernelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return 4L * shape["rows"] * shape["columns"];
    }

    /// <summary>rows · columns.</summary>
    public static long ValueCount(this KernelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return (long)shape["rows"] * shape["columns"];
    }
}
