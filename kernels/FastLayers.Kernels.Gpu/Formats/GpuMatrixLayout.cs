using FastLayers.Kernels.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// How a matrix lies in the memory of a device. Float formats lie as in a file. Of block formats the codes of all blocks come first, then,
/// from the next multiple of 16 bytes, the other bytes of all blocks; the size is that of the file, but for the padding.
/// </summary>
internal readonly struct GpuMatrixLayout
{
    private const int Alignment = 16;

    private GpuMatrixLayout(Format format, long rows, int columns, int codeOffset, int codeBytes)
    {
        format.RowBytes(columns);
        Format = format;
        Rows = rows;
        Columns = columns;
        BlocksPerRow = columns / format.BlockLength;
        CodeOffset = codeOffset;
        CodeBytes = codeBytes;
        RestBytes = format.BlockBytes - codeBytes;
    }

    public Format Format { get; }

    public long Rows { get; }

    public int Columns { get; }

    public int BlocksPerRow { get; }

    /// <summary>Where the codes start in a block of the file.</summary>
    public int CodeOffset { get; }

    /// <summary>Bytes a block in the first plane.</summary>
    public int CodeBytes { get; }

    /// <summary>Bytes a block in the second plane.</summary>
    public int RestBytes { get; }

    /// <summary>Where the second plane starts.</summary>
    public long RestStart => ((Rows * BlocksPerRow * CodeBytes) + Alignment - 1) / Alignment * Alignment;

    /// <summary>Bytes of both planes.</summary>
    public long ByteLength => RestStart + (Rows * BlocksPerRow * RestBytes);

    /// <summary>The layout of a matrix.</summary>
    public static GpuMatrixLayout Of(Format format, long rows, int columns) => GpuFormats.IsBlock(format)
        ? GpuFormats.Visit(format, new Create(rows, columns))
        : new GpuMatrixLayout(format, rows, columns, 0, 0);

    /// <summary>The matrix in memory that has this layout.</summary>
    /// <param name="memory">Exactly <see cref="ByteLength"/> bytes, from a multiple of 16 on.</param>
    public GpuMatrix On(ArrayView<byte> memory)
    {
        if (memory.Length != ByteLength)
            throw new ArgumentException($"A matrix of {Rows} rows of {Columns} values in {Format.Name} takes {ByteLength} bytes, found {memory.Length}.", nameof(memory));
        return new GpuMatrix
        {
            Codes = memory.SubView(0, Rows * BlocksPerRow * CodeBytes).Cast<int>(),
            Rest = memory.SubView(RestStart, Rows * BlocksPerRow * RestBytes),
            Rows = checked((int)Rows),
            Columns = Columns,
        };
    }

    /// <summary>Moves blocks, in the order of the file, to their places in the two planes.</summary>
    /// <param name="blocks">Consecutive blocks.</param>
    /// <param name="codes">Receives the codes of these blocks.</param>
    /// <param name="rest">Receives their other bytes.</param>
    public void Split(ReadOnlySpan<byte> blocks, Span<byte> codes, Span<byte> rest)
    {
        int count = blocks.Length / Format.BlockBytes;
        for (int i = 0; i < count; i++)
        {
            var block = blocks.Slice(i * Format.BlockBytes, Format.BlockBytes);
            var others = rest.Slice(i * RestBytes, RestBytes);
            block.Slice(CodeOffset, CodeBytes).CopyTo(codes[(i * CodeBytes)..]);
            block[..CodeOffset].CopyTo(others);
            block[(CodeOffset + CodeBytes)..].CopyTo(others[CodeOffset..]);
        }
    }

    private readonly struct Create(long rows, int columns) : IGpuBlockVisitor<GpuMatrixLayout>
    {
        public GpuMatrixLayout Visit<TBlock>(Format format) where TBlock : struct, IGpuBlock
        {
            TBlock block = default;
            return new GpuMatrixLayout(format, rows, columns, block.CodeOffset, block.CodeBytes);
        }
    }
}
