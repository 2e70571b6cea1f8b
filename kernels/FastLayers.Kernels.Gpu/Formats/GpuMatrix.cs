using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// A matrix of any format in the memory of a device, as kernels get it: the two planes of <see cref="GpuMatrixLayout"/>. Rows may lie more
/// than 2^31 bytes apart; within a row 32-bit indices do.
/// </summary>
internal struct GpuMatrix
{
    /// <summary>The codes of all blocks; nothing for float formats.</summary>
    public ArrayView<int> Codes;

    /// <summary>The other bytes of all blocks; for float formats all elements.</summary>
    public ArrayView<byte> Rest;

    public int Rows;

    /// <summary>Values a row.</summary>
    public int Columns;

    /// <summary>The codes of a row.</summary>
    public readonly ArrayView<int> RowCodes<TBlock>(int row) where TBlock : struct, IGpuBlock
    {
        TBlock format = default;
        int words = Columns / format.BlockLength * (format.CodeBytes / 4);
        return Codes.SubView((long)row * words, words);
    }

    /// <summary>The other bytes of a row.</summary>
    public readonly ArrayView<byte> RowRest<TBlock>(int row) where TBlock : struct, IGpuBlock
    {
        TBlock format = default;
        int bytes = Columns / format.BlockLength * format.RestBytes;
        return Rest.SubView((long)row * bytes, bytes);
    }

    /// <summary>The elements of a row of a float format.</summary>
    public readonly ArrayView<TElement> RowElements<TElement>(int row) where TElement : unmanaged
    {
        long bytes = (long)Columns * Interop.SizeOf<TElement>();
        return Rest.SubView(row * bytes, bytes).Cast<TElement>();
    }
}
