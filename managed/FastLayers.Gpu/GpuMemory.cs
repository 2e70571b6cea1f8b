using FastLayers.Kernels.Gpu;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Gpu;

/// <summary>
/// A buffer of a device with one matrix in it, in the layout of the kernels. A tensor's byte offset counts the bytes of a file, so it says at
/// which block of the matrix the tensor starts.
/// </summary>
internal sealed class GpuMemory(GpuDevice device, MemoryBuffer1D<byte, Stride1D.Dense> buffer, GpuMatrixLayout layout) : DeviceMemory
{
    private MemoryBuffer1D<byte, Stride1D.Dense>? _buffer = buffer;

    /// <inheritdoc/>
    public override long ByteLength => layout.ByteLength;

    /// <inheritdoc/>
    public override bool IsDisposed => _buffer is null || device.IsDisposed;

    /// <summary>How the matrix lies in the buffer.</summary>
    public GpuMatrixLayout Layout => layout;

    /// <summary>All bytes.</summary>
    public ArrayView<byte> Bytes => _buffer!.View.BaseView.SubView(0, layout.ByteLength);

    /// <summary>The first <paramref name="count"/> values of an F32 tensor.</summary>
    public static ArrayView<float> Floats(Tensor tensor, long count) => ((GpuMemory)tensor.Memory).Bytes.SubView(tensor.ByteOffset, count * sizeof(float)).Cast<float>();

    /// <summary>The first <paramref name="count"/> values of an F16 tensor, as bits.</summary>
    public static ArrayView<ushort> Halves(Tensor tensor, long count) => ((GpuMemory)tensor.Memory).Bytes.SubView(tensor.ByteOffset, count * sizeof(ushort)).Cast<ushort>();

    /// <summary>A tensor of any format as the kernels read it.</summary>
    public static GpuMatrix Matrix(Tensor tensor)
    {
        var memory = (GpuMemory)tensor.Memory;
        var format = tensor.Format;
        long first = tensor.ByteOffset / format.BlockBytes;
        long count = tensor.Count / format.BlockLength;
        int codeBytes = memory.Layout.CodeBytes;
        int restBytes = memory.Layout.RestBytes;
        return new GpuMatrix
        {
            Codes = memory.Bytes.SubView(first * codeBytes, count * codeBytes).Cast<int>(),
            Rest = memory.Bytes.SubView(memory.Layout.RestStart + (first * restBytes), count * restBytes),
            Rows = checked((int)tensor.Rows),
            Columns = tensor.Columns,
        };
    }

    /// <summary>Copies whole blocks between memories of one format.</summary>
    public static void CopyBlocks(GpuLauncher launcher, Tensor source, long sourceBlock, Tensor target, long targetBlock, long blocks)
    {
        var from = (GpuMemory)source.Memory;
        var to = (GpuMemory)target.Memory;
        long fromBlock = (source.ByteOffset / source.Format.BlockBytes) + sourceBlock;
        long toBlock = (target.ByteOffset / target.Format.BlockBytes) + targetBlock;
        int codeBytes = from.Layout.CodeBytes;
        int restBytes = from.Layout.RestBytes;
        launcher.Copy(from.Bytes.SubView(fromBlock * codeBytes, blocks * codeBytes), to.Bytes.SubView(toBlock * codeBytes, blocks * codeBytes));
        launcher.Copy(
            from.Bytes.SubView(from.Layout.RestStart + (fromBlock * restBytes), blocks * restBytes),
            to.Bytes.SubView(to.Layout.RestStart + (toBlock * restBytes), blocks * restBytes));
    }

    /// <summary>Copies the blocks of a file into the layout, piece by piece.</summary>
    public unsafe void Fill(GpuLauncher launcher, byte* blocks)
    {
        long count = (long)layout.Rows * layout.BlocksPerRow;
        int blockBytes = layout.Format.BlockBytes;
        int piece = (int)Math.Min(count, PieceBytes / blockBytes);
        byte[] codes = new byte[piece * layout.CodeBytes];
        byte[] rest = new byte[piece * layout.RestBytes];
        for (long first = 0; first < count; first += piece)
        {
            int length = (int)Math.Min(piece, count - first);
            var source = new ReadOnlySpan<byte>(blocks + (first * blockBytes), length * blockBytes);
            if (layout.CodeBytes == 0)
            {
                launcher.Upload(source, Bytes.SubView(first * blockBytes, source.Length));
                continue;
            }

            layout.Split(source, codes, rest);
            launcher.Upload<byte>(codes.AsSpan(0, length * layout.CodeBytes), Bytes.SubView(first * layout.CodeBytes, length * layout.CodeBytes));
            launcher.Upload<byte>(rest.AsSpan(0, length * layout.RestBytes), Bytes.SubView(layout.RestStart + (first * layout.RestBytes), length * layout.RestBytes));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer) device.Return(buffer);
    }

    /// <summary>Bytes of a file that are moved at once: enough to hide the cost of a copy, little enough to stay in the cache.</summary>
    private const int PieceBytes = 4 << 20;
}
