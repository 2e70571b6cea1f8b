using System.Buffers;
using System.Runtime.InteropServices;
using FastLayers.Loading;

namespace FastLayers.Synthesis;

/// <summary>
/// Models with random weights: GGUF files of any size and storage format for tests, measurements and comparisons, that other
/// GGUF readers load as well. They speak noise.
/// </summary>
public static class SyntheticModel
{
    /// <summary>About how many values one thread draws and encodes at a time.</summary>
    private const long ValuesPerTask = 1 << 16;

    /// <summary>About how many bytes are encoded before they are written: all that is held in memory.</summary>
    private const long BytesPerWrite = 8 << 20;

    /// <summary>Writes a model. The file appears under its name only when it is complete.</summary>
    /// <param name="path">The file to write, usually <c>*.gguf</c>; replaced if it exists.</param>
    /// <param name="options">Shape, format and seed. The same options give the same bytes, whatever the number of threads.</param>
    /// <param name="progress">Told the share of weights written, 0 to 1.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="ArgumentException">The options do not fit each other.</exception>
    /// <exception cref="OperationCanceledException">The writing was canceled.</exception>
    public static void Write(string path, SyntheticModelOptions options, IProgress<double>? progress = null, CancellationToken cancellation = default) =>
        Write(path, options, progress, Environment.ProcessorCount, cancellation);

    /// <summary>Writes a model with a given number of threads.</summary>
    internal static void Write(string path, SyntheticModelOptions options, IProgress<double>? progress, int threads, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        var layout = Layout(options);
        var total = layout.Tensors.Sum(tensor => (double)(tensor.Rows * tensor.Columns));
        var done = 0.0;
        var writer = new GgufWriter();
        foreach (var (key, value) in layout.Metadata) writer.SetMetadata(key, value);
        foreach (var tensor in layout.Tensors)
        {
            writer.AddTensor(tensor.Name, tensor.Shape, tensor.Format, stream =>
            {
                WriteTensor(stream, tensor, new SyntheticNoise(options.Seed), threads, values => progress?.Report((done += values) / total), cancellation);
            });
        }
        writer.Write(path);
    }

    /// <summary>The metadata and tensors that a file will have.</summary>
    private static SyntheticLayout Layout(SyntheticModelOptions options)
    {
        var architecture = SyntheticArchitecture.Of(options);
        architecture.Check(options);
        var layout = new SyntheticLayout(options);
        SyntheticMetadata.Describe(layout, architecture, options);
        SyntheticVocabulary.Describe(layout, architecture.Vocabulary, architecture.PreTokenizer, options.Vocabulary);
        SyntheticTensors.Describe(layout, architecture, options);
        return layout;
    }

    private static void WriteTensor(Stream stream, SyntheticTensor tensor, SyntheticNoise noise, int threads, Action<long> report, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (tensor.Values is { } values)
        {
            stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
            report(values.Length);
            return;
        }
        var (rows, columns, rowBytes) = (tensor.Rows, tensor.Columns, tensor.Format.RowBytes(tensor.Columns));
        var rowsPerTask = Math.Max(1, ValuesPerTask / columns);
        var tasksPerWrite = Math.Max(1, BytesPerWrite / (rowsPerTask * rowBytes));
        var rowsPerWrite = Math.Min(rows, rowsPerTask * tasksPerWrite);
        var buffer = new byte[rowsPerWrite * rowBytes];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        for (long start = 0; start < rows; start += rowsPerWrite)
        {
            var written = Math.Min(rowsPerWrite, rows - start);
            var first = start;
            Parallel.For(0, (written + rowsPerTask - 1) / rowsPerTask, parallel, task =>
            {
                var row = task * rowsPerTask;
                var count = Math.Min(rowsPerTask, written - row);
                Encode(tensor, noise, first + row, count, buffer.AsSpan((int)(row * rowBytes), (int)(count * rowBytes)));
            });
            stream.Write(buffer, 0, (int)(written * rowBytes));
            report(written * columns);
        }
    }

    private static void Encode(SyntheticTensor tensor, SyntheticNoise noise, long row, long count, Span<byte> bytes)
    {
        var length = checked((int)(count * tensor.Columns));
        var rented = ArrayPool<float>.Shared.Rent(length);
        var values = rented.AsSpan(0, length);
        noise.Fill(values, tensor.First + row * tensor.Columns, tensor.Center, tensor.Deviation);
        tensor.Format.Encode(values, bytes);
        ArrayPool<float>.Shared.Return(rented);
    }
}
