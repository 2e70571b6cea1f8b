using System.Globalization;
using FastLayers.Peers.OnnxRuntime;
using Microsoft.ML.OnnxRuntime;
using static FastLayers.Peers.PeerLines;

// Answers lines of the standard input until it ends; README.md lists them. Each answer is one line.
try
{
    if (args is not ["--weights", var path, "--size", var size, "--threads", var threads]) throw new ArgumentException("Expected --weights FILE --size N --threads T.");
    string description = $"onnxruntime {typeof(InferenceSession).Assembly.GetName().Version?.ToString(3)}, MatMulNBits of 4 bit, accuracy level {MatMulModel.AccuracyLevel}";
    byte[] blocks = File.ReadAllBytes(path);
    var matrices = new Dictionary<int, QuantizedMatrix>();
    var sessions = new Dictionary<(int Rows, int Matrices, int Block), MatMulSession>();
    QuantizedMatrix Matrix(int block) => matrices.TryGetValue(block, out var known) ? known : matrices[block] = QuantizedMatrix.FromQ4_0(blocks, Number(size), block);
    MatMulSession Session(int rows, int count, int block) =>
        sessions.TryGetValue((rows, count, block), out var known) ? known : sessions[(rows, count, block)] = new MatMulSession(Matrix(block), rows, count, Number(threads));

    // One product, so that what is said about the error was found in this run.
    using (var probe = new MatMulSession(Matrix(32), rows: 1, count: 1, Number(threads)))
        Answer(string.Create(CultureInfo.InvariantCulture, $"ready {description}, error {probe.Error:g2} beside doubles"));
    while (Console.In.ReadLine() is { } line)
    {
        var sample = line.Split(' ') switch
        {
            ["matmul", var rows, "matrices", var count, "block", var block] => Session(Number(rows), Number(count), Number(block)).Measure(),
            _ => throw new ArgumentException($"Expected 'matmul M matrices C block B', found '{line}'."),
        };
        Done(sample.Wall, sample.Cpu);
    }

    foreach (var session in sessions.Values) session.Dispose();
    return 0;
}
catch (Exception exception) when (exception is ArgumentException or FormatException or IOException or InvalidDataException or OnnxRuntimeException or DllNotFoundException or TypeInitializationException)
{
    Error(exception);
    return 1;
}
