using FastLayers.Kernels.Gpu.Formats;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Quantize;

/// <summary>Brings a matrix of a block format from the two planes of <see cref="GpuMatrixLayout"/> back into the order of a file, one thread a block.</summary>
internal static class FileOrderKernels
{
    public static GpuKernel<Arguments> Kernel { get; } = new("FileOrder", Blocks);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    /// <summary>Writes all blocks.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="layout">The layout of the matrix.</param>
    /// <param name="x">The matrix.</param>
    /// <param name="y">Receives the bytes of a file.</param>
    public static void Launch(GpuLauncher launcher, GpuMatrixLayout layout, GpuMatrix x, ArrayView<byte> y)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        long count = (long)layout.Rows * layout.BlocksPerRow;
        if (y.Length != count * layout.Format.BlockBytes) throw new ArgumentException($"File order: {count} blocks of {layout.Format.Name} take {count * layout.Format.BlockBytes} bytes, found {y.Length}.", nameof(y));
        launcher.LaunchThreads(Kernel, count, new Arguments
        {
            Codes = x.Codes.Cast<byte>(),
            Rest = x.Rest,
            Y = y,
            BlockCount = count,
            CodeOffset = layout.CodeOffset,
            CodeBytes = layout.CodeBytes,
            RestBytes = layout.RestBytes,
        });
    }

    internal static void Blocks(Arguments a)
    {
        long block = ((long)Grid.IdxX * Group.DimX) + Group.IdxX;
        if (block >= a.BlockCount) return;
        var codes = a.Codes.SubView(block * a.CodeBytes, a.CodeBytes);
        var rest = a.Rest.SubView(block * a.RestBytes, a.RestBytes);
        var y = a.Y.SubView(block * (a.CodeBytes + a.RestBytes), a.CodeBytes + a.RestBytes);
        for (int i = 0; i < a.CodeOffset; i++) y[i] = rest[i];
        for (int i = 0; i < a.CodeBytes; i++) y[a.CodeOffset + i] = codes[i];
        for (int i = a.CodeOffset; i < a.RestBytes; i++) y[a.CodeBytes + i] = rest[i];
    }

    internal struct Arguments
    {
        public ArrayView<byte> Codes;
        public ArrayView<byte> Rest;
        public ArrayView<byte> Y;
        public long BlockCount;
        public int CodeOffset;
        public int CodeBytes;
        public int RestBytes;
    }
}
