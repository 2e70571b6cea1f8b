using System.Runtime.InteropServices;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.Tests.MatMul;

/// <summary>Random operands of one product.</summary>
internal sealed unsafe class MatMulData : IDisposable
{
    private readonly List<nint> _memory = [];
    private readonly byte[] _weights;
    private readonly float[] _bias;

    public MatMulData(string formatName, int rows, int outputs, int columns)
    {
        Assert.True(Format.TryParse(formatName, out var format));
        var random = new Random((rows * 7919) + (outputs * 104_729) + columns);
        var values = Floats(random, outputs * columns);
        _weights = new byte[outputs * format!.RowBytes(columns)];
        format.Encode(values, _weights);
        _bias = Floats(random, outputs);
        Input = Floats(random, rows * columns);
        Arguments = new MatMulArguments
        {
            Format = format,
            Weights = Copy<byte>(_weights),
            Bias = (float*)Copy<float>(_bias),
            Input = (float*)Copy<float>(Input),
            Output = (float*)Copy<float>(new float[rows * outputs]),
            Rows = rows,
            Outputs = outputs,
            Columns = columns,
        };
    }

    public MatMulArguments Arguments { get; }

    public float[] Input { get; }

    public QuantizedActivations Quantize(WorkerPool pool)
    {
        byte* memory = Copy<byte>(new byte[QuantizedActivations.Bytes(Arguments.Rows, Arguments.Columns)]);
        var activations = new QuantizedActivations(memory, Arguments.Rows, Arguments.Columns);
        ActivationQuantizer.Quantize(pool, Arguments.Input, activations);
        return activations;
    }

    /// <summary>Compares the output with the definition; the tolerance is relative to Σ|w·x| + |bias|.</summary>
    public void CheckAgainst(float[] input, double tolerance)
    {
        var (rows, outputs, columns) = (Arguments.Rows, Arguments.Outputs, Arguments.Columns);
        var expected = new double[rows * outputs];
        var size = new double[rows * outputs];
        MatMulReference.Multiply(Arguments.Format, _weights, _bias, input, expected, outputs, columns);
        var decoded = new float[outputs * columns];
        Arguments.Format.Decode(_weights, decoded);
        for (int m = 0; m < rows; m++)
        {
            for (int n = 0; n < outputs; n++)
            {
                double sum = Math.Abs(_bias[n]);
                for (int k = 0; k < columns; k++) sum += Math.Abs((double)input[(m * columns) + k] * decoded[(n * columns) + k]);
                size[(m * outputs) + n] = sum;
            }
        }

        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - Arguments.Output[i]) <= tolerance * size[i], $"{Arguments.Format.Name} [{rows}, {outputs}, {columns}] output {i}: expected {expected[i]}, found {Arguments.Output[i]}");
    }

    public void Dispose()
    {
        foreach (nint memory in _memory) NativeMemory.AlignedFree((void*)memory);
    }

    private byte* Copy<T>(T[] values)
        where T : unmanaged
    {
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(values.Length * sizeof(T)) + 64, 64);
        MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(new Span<byte>(memory, values.Length * sizeof(T)));
        _memory.Add((nint)memory);
        return memory;
    }

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5) * 4)];
}
