using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace FastLayers.Peers.OnnxRuntime;

/// <summary>A session of ONNX Runtime whose results were compared with sums in doubles, so that what is measured is the same work.</summary>
internal sealed class MatMulSession : IDisposable
{
    /// <summary>Σ(y − r)² / Σr² that rounding activations to 8 bit in blocks may cost; a wrong order of codes has one of about 2.</summary>
    private const double MostError = 2e-4;

    /// <summary>Not a seed of weights: rows of weights that equal the activations would drown what the others say.</summary>
    private const int InputSeed = 0x5EED;

    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly string[] _outputNames;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;

    /// <summary>Makes the model, loads it and compares its first and last result.</summary>
    /// <exception cref="InvalidDataException">They are not those of the matrix.</exception>
    public MatMulSession(QuantizedMatrix matrix, int rows, int count, int threads)
    {
        using var settings = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
        // Workers would otherwise poll on, in the time of whoever is measured next.
        settings.AddSessionConfigEntry("session.force_spinning_stop", "1");
        _session = new InferenceSession(MatMulModel.Write(matrix, rows, count), settings);
        var random = new Random(InputSeed);
        float[] x = new float[rows * matrix.Size];
        foreach (ref float value in x.AsSpan()) value = (random.NextSingle() * 2) - 1;
        float[][] results = [.. Enumerable.Range(0, count).Select(_ => new float[rows * matrix.Size])];
        _outputNames = [.. Enumerable.Range(0, count).Select(MatMulModel.Output)];
        _inputs = [OrtValue.CreateTensorValueFromMemory(x, [rows, matrix.Size])];
        _outputs = [.. results.Select(result => OrtValue.CreateTensorValueFromMemory(result, [rows, matrix.Size]))];
        Run();
        Error = Math.Max(Compare(matrix, x, results[0], rows), Compare(matrix, x, results[^1], rows));
        if (!(Error <= MostError)) throw new InvalidDataException($"MatMulNBits of {rows} rows in blocks of {matrix.BlockLength} has an error of {Error:g2} beside sums in doubles, at most {MostError:g2} is expected.");
    }

    /// <summary>Σ(y − r)² / Σr².</summary>
    public double Error { get; }

    /// <summary>Runs all operators once.</summary>
    public (TimeSpan Wall, TimeSpan Cpu) Measure()
    {
        var cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        Run();
        return (Stopwatch.GetElapsedTime(start), Environment.CpuUsage.TotalTime - cpu);
    }

    public void Dispose()
    {
        foreach (var value in _inputs.Concat(_outputs)) value.Dispose();
        _options.Dispose();
        _session.Dispose();
    }

    private void Run() => _session.Run(_options, [MatMulModel.Input], _inputs, _outputNames, _outputs);

    /// <summary>The first and the last row of a result.</summary>
    private static double Compare(QuantizedMatrix matrix, float[] x, float[] result, int rows)
    {
        double difference = 0, power = 0;
        foreach (int row in (int[])[0, rows - 1])
        {
            for (int output = 0; output < matrix.Size; output++)
            {
                double expected = matrix.Product(output, x.AsSpan(row * matrix.Size, matrix.Size));
                double found = result[(row * matrix.Size) + output];
                difference += (found - expected) * (found - expected);
                power += expected * expected;
            }
        }

        return difference / power;
    }
}
