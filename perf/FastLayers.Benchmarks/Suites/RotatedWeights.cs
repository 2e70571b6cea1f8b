using System.Runtime.InteropServices;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Threading;

namespace FastLayers.Benchmarks.Suites;

/// <summary>
/// Products of one row of activations with interleaved matrices, one after another, that together are larger than any cache: what decoding a
/// token asks of memory. Rounding the activations is part of each product.
/// </summary>
public sealed unsafe class RotatedWeights : IDisposable
{
    /// <summary>Bytes of all matrices at least.</summary>
    public const long LeastBytes = 256L << 20;

    private const int Size = 4096;
    private const int Alignment = 64;
    private static readonly Lazy<byte[]> s_noise = new(() =>
    {
        var bytes = new byte[Size * Size * sizeof(float) / 64];
        var random = new Random(1);
        var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() * 2) - 1;
        return bytes;
    });

    private readonly InterleavedLayout _layout;
    private readonly WorkerPool _pool;
    private readonly byte* _weights;
    private readonly byte* _activations;
    private readonly float* _input;
    private readonly float* _output;
    private readonly int _matrices;
    private bool _isDisposed;

    /// <summary>Makes the matrices: one, and copies of it.</summary>
    /// <exception cref="NotSupportedException">The format has no interleaved layout on this processor.</exception>
    public RotatedWeights(Format format, int threads)
    {
        ArgumentNullException.ThrowIfNull(format);
        _layout = InterleavedLayout.For(format) ?? throw new NotSupportedException($"This processor does not interleave {format.Name}.");
        _matrices = MatrixCount(_layout);
        _pool = new WorkerPool(threads);
        long bytes = _layout.Bytes(Size, Size);
        _weights = Allocate(bytes * _matrices);
        _activations = Allocate(_layout.ActivationBytes(1, Size));
        _input = (float*)Allocate(Size * sizeof(float));
        _output = (float*)Allocate(Size * sizeof(float));

        var noise = MemoryMarshal.Cast<byte, float>(s_noise.Value);
        noise[..Size].CopyTo(new Span<float>(_input, Size));
        int rowBytes = checked((int)format.RowBytes(Size));
        byte* rows = Allocate((long)rowBytes * Size);
        int distinct = noise.Length / Size;
        for (int row = 0; row < Size; row++)
        {
            var target = new Span<byte>(rows + ((long)row * rowBytes), rowBytes);
            if (row < distinct) format.Encode(noise.Slice(row * Size, Size), target);
            else new ReadOnlySpan<byte>(rows + ((long)(row % distinct) * rowBytes), rowBytes).CopyTo(target);
        }

        _layout.Interleave(_pool, rows, Size, Size, _weights);
        NativeMemory.AlignedFree(rows);
        for (int i = 1; i < _matrices; i++) Buffer.MemoryCopy(_weights, _weights + (i * bytes), bytes, bytes);
    }

    /// <summary>Bytes of all matrices.</summary>
    public static long Bytes(Format format) => InterleavedLayout.For(format) is { } layout ? layout.Bytes(Size, Size) * MatrixCount(layout) : 0;

    /// <summary>Multiplications plus additions of a run.</summary>
    public static long Operations(Format format) => InterleavedLayout.For(format) is { } layout ? 2L * Size * Size * MatrixCount(layout) : 0;

    /// <summary>Multiplies with every matrix once.</summary>
    public void Run()
    {
        long bytes = _layout.Bytes(Size, Size);
        for (int i = 0; i < _matrices; i++)
        {
            var arguments = new MatMulArguments { Format = _layout.Format, Weights = _weights + (i * bytes), Input = _input, Output = _output, Rows = 1, Outputs = Size, Columns = Size };
            MatMulSimdInterleaved.Multiply(_pool, _layout, arguments, _activations);
        }
    }

    /// <summary>Stops the threads and frees the memory.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _pool.Dispose();
        foreach (nint memory in (nint[])[(nint)_weights, (nint)_activations, (nint)_input, (nint)_output]) NativeMemory.AlignedFree((void*)memory);
    }

    private static int MatrixCount(InterleavedLayout layout) => (int)((LeastBytes + layout.Bytes(Size, Size) - 1) / layout.Bytes(Size, Size));

    private static byte* Allocate(long bytes) => (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
}
