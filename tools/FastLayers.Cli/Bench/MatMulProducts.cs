using FastLayers.Kernels.Formats;

namespace FastLayers.Cli.Bench;

/// <summary>
/// Products of rows of activations with square matrices of one format, prepared as those of a model are, one after another. Rounding the
/// activations is part of each product.
/// </summary>
internal sealed unsafe class MatMulProducts : IDisposable
{
    /// <summary>Rows and columns of a matrix.</summary>
    public const int Size = 4096;

    /// <summary>Bytes of matrices that are read from memory, since caches hold a part of them at most.</summary>
    public const long RotatedBytes = 256L << 20;

    /// <summary>Rows that are encoded; the others repeat them, since searching for scales takes longer than all products.</summary>
    private const int DistinctRows = 64;

    private readonly CpuDevice _device;
    private readonly Tensor[] _weights;
    private readonly Tensor _input;
    private readonly Tensor _output;
    private readonly int _rows;

    /// <summary>Makes the matrices.</summary>
    /// <param name="weights">A matrix [<see cref="Size"/>, <see cref="Size"/>] in <paramref name="format"/>: <see cref="Weights"/>.</param>
    /// <param name="format">Storage of the weights.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="matrices">Copies of the matrix.</param>
    /// <param name="threads">Threads that compute.</param>
    public MatMulProducts(ReadOnlySpan<byte> weights, Format format, int rows, int matrices, int threads)
    {
        _device = new CpuDevice(threads);
        _rows = rows;
        _weights = new Tensor[matrices];
        fixed (byte* bytes = weights)
        {
            using var mapped = _device.FromMapped(format, Size, Size, bytes);
            for (int i = 0; i < matrices; i++)
            {
                var matrix = _device.Allocate(format, Size, Size);
                _device.Copy(mapped, 0, matrix, 0, Size);
                _weights[i] = _device.PrepareWeight(matrix, ActivationPrecision.Int8);
                if (_weights[i] != matrix) matrix.Dispose();
            }
        }

        _input = _device.Allocate(Format.F32, rows, Size);
        _output = _device.Allocate(Format.F32, rows, Size);
        _device.Write(_input, 0, Noise(rows * Size, seed: 2));
    }

    /// <summary>Threads that compute.</summary>
    public int Threads => _device.ThreadCount;

    /// <summary>Bytes of all matrices.</summary>
    public long Bytes => _weights.Sum(weight => weight.Memory.ByteLength);

    /// <summary>Multiplications plus additions of a run.</summary>
    public long Operations => 2L * _rows * Size * Size * _weights.Length;

    /// <summary>Matrices of a format that take <see cref="RotatedBytes"/>.</summary>
    public static int MatrixCount(Format format) => (int)((RotatedBytes + (Size * format.RowBytes(Size)) - 1) / (Size * format.RowBytes(Size)));

    /// <summary>The bytes of a matrix.</summary>
    /// <param name="format">How it is stored.</param>
    /// <param name="seed">Start of the random values.</param>
    public static byte[] Weights(Format format, int seed = 1)
    {
        int rowBytes = checked((int)format.RowBytes(Size));
        byte[] bytes = new byte[(long)rowBytes * Size];
        float[] values = Noise(DistinctRows * Size, seed);
        for (int row = 0; row < Size; row++)
        {
            var target = bytes.AsSpan(row * rowBytes, rowBytes);
            if (row < DistinctRows) format.Encode(values.AsSpan(row * Size, Size), target);
            else bytes.AsSpan(row % DistinctRows * rowBytes, rowBytes).CopyTo(target);
        }

        return bytes;
    }

    /// <summary>Multiplies with every matrix once.</summary>
    public void Run()
    {
        foreach (var weight in _weights) _device.MatMul(weight, null, _input, _output, _rows, ActivationPrecision.Int8);
    }

    /// <summary>Stops the threads and frees the memory.</summary>
    public void Dispose()
    {
        foreach (var weight in _weights) weight.Dispose();
        _input.Dispose();
        _output.Dispose();
        _device.Dispose();
    }

    private static float[] Noise(int count, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        foreach (ref float value in values.AsSpan()) value = (random.NextSingle() * 2) - 1;
        return values;
    }
}
