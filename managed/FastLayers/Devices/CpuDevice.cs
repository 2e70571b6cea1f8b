using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Embedding;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers;

/// <summary>The processor: SIMD kernels on a pool of threads. Mapped weights are used in place.</summary>
public sealed unsafe partial class CpuDevice : Device
{
    private readonly WorkerPool _pool;
    private readonly bool _isShared;
    private readonly Lock _lock = new();
    private CpuMemory? _activationMemory;

    /// <summary>Starts a device.</summary>
    /// <param name="threads">Threads that compute, the caller's included; 0 takes one a core.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is negative or above 1,024.</exception>
    public CpuDevice(int threads = 0) : this(threads, isShared: false)
    {
    }

    private CpuDevice(int threads, bool isShared)
    {
        _pool = new WorkerPool(threads == 0 ? Environment.ProcessorCount : threads);
        _isShared = isShared;
    }

    /// <summary>The device of <see cref="Device.Cpu"/>, which lives as long as the process.</summary>
    internal static CpuDevice CreateShared() => new(threads: 0, isShared: true);

    /// <summary>Threads that compute.</summary>
    public int ThreadCount => _pool.WorkerCount;

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <inheritdoc/>
    public override string Description => $"{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture}, {(int)SimdDispatch.Level}-bit SIMD, {ThreadCount} threads";

    /// <inheritdoc/>
    public override long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <inheritdoc/>
    public override Tensor Allocate(Format format, long rows, int columns)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var bytes = (Int128)rows * format.RowBytes(columns);
        if (bytes > nint.MaxValue) throw new InsufficientMemoryException($"No memory holds the {bytes} bytes of {rows} x {columns} {format.Name} values.");
        return new Tensor(this, format, rows, columns, new CpuMemory((long)bytes), 0, ownsMemory: true);
    }

    /// <inheritdoc/>
    public override Tensor FromMapped(Format format, long rows, int columns, byte* bytes)
    {
        ArgumentNullException.ThrowIfNull(format);
        return new Tensor(this, format, rows, columns, new CpuMemory(bytes, rows * format.RowBytes(columns)), 0, ownsMemory: true);
    }

    /// <inheritdoc/>
    public override void Read(Tensor source, long firstValue, Span<float> values) => new ReadOnlySpan<float>(Floats(source, firstValue, values.Length), values.Length).CopyTo(values);

    /// <inheritdoc/>
    public override void Write(Tensor target, long firstValue, ReadOnlySpan<float> values) => values.CopyTo(new Span<float>(Floats(target, firstValue, values.Length), values.Length));

    /// <inheritdoc/>
    public override void Copy(Tensor source, long sourceRow, Tensor target, long targetRow, long rows)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentOutOfRangeException.ThrowIfNegative(sourceRow);
        ArgumentOutOfRangeException.ThrowIfNegative(targetRow);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (source.Format != target.Format || source.Columns != target.Columns || rows > source.Rows - sourceRow || rows > target.Rows - targetRow)
            throw new ArgumentException($"{rows} rows from row {sourceRow} of {source} do not fit at row {targetRow} of {target}.");
        long rowBytes = source.Format.RowBytes(source.Columns);
        Buffer.MemoryCopy(Bytes(source) + (sourceRow * rowBytes), Bytes(target) + (targetRow * rowBytes), rows * rowBytes, rows * rowBytes);
    }

    /// <inheritdoc/>
    public override void Clear(Tensor target, int rows, int columns) => new Span<float>(Floats(target, (long)rows * columns), rows * columns).Clear();

    /// <inheritdoc/>
    public override void Embed(Tensor table, ReadOnlySpan<int> ids, float scale, Tensor output)
    {
        ArgumentNullException.ThrowIfNull(table);
        EmbeddingLookup.Rows(table.Format, Bytes(table), table.Rows, ids, scale, new Span<float>(Floats(output, (long)ids.Length * table.Columns), ids.Length * table.Columns));
    }

    /// <inheritdoc/>
    public override void MatMul(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows, ActivationPrecision precision)
    {
        ArgumentNullException.ThrowIfNull(weight);
        int outputs = (int)weight.Rows;
        var arguments = new MatMulArguments
        {
            Format = weight.Format,
            Weights = Bytes(weight),
            Bias = bias is null ? null : Floats(bias, outputs),
            Input = Floats(input, (long)rows * weight.Columns),
            Output = Floats(output, (long)rows * outputs),
            Rows = rows,
            Outputs = outputs,
            Columns = weight.Columns,
        };
        if (precision == ActivationPrecision.Float32 || !MatMulSimdInt8.Supports(weight.Format))
        {
            MatMulSimdFloat.Multiply(_pool, arguments);
            return;
        }

        lock (_lock)
        {
            var activations = new QuantizedActivations(ActivationMemory(QuantizedActivations.Bytes(rows, weight.Columns)), rows, weight.Columns);
            ActivationQuantizer.Quantize(_pool, arguments.Input, activations);
            MatMulSimdInt8.Multiply(_pool, arguments, activations);
        }
    }

    /// <inheritdoc/>
    public override void AppendKv(KvLayer layer, in BatchRows batch, Tensor keys, Tensor values)
    {
        ArgumentNullException.ThrowIfNull(layer);
        fixed (int* sequences = batch.Sequences, positions = batch.Positions, pages = batch.PageTable)
        {
            var cache = Cache(layer, pages, batch.PagesPerSequence);
            Kernels.KvCache.AppendKv.Append(_pool, cache, Floats(keys, (long)batch.Count * layer.Heads * cache.KeySize), Floats(values, (long)batch.Count * layer.Heads * cache.ValueSize), sequences, positions, batch.Count);
        }
    }

    /// <inheritdoc/>
    public override void Attend(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor output)
    {
        ArgumentNullException.ThrowIfNull(layer);
        fixed (int* sequences = batch.Sequences, windowStart = batch.WindowStart, end = batch.End, pages = batch.PageTable)
        {
            var cache = Cache(layer, pages, batch.PagesPerSequence);
            AttentionSimd.Attend(_pool, new AttentionArguments
            {
                Cache = cache,
                Query = Floats(query, (long)batch.Count * options.Heads * cache.KeySize),
                Output = Floats(output, (long)batch.Count * options.Heads * cache.ValueSize),
                Sequences = sequences,
                First = options.Windowed ? windowStart : null,
                End = end,
                Rows = batch.Count,
                Heads = options.Heads,
                Scale = options.Scale,
                SoftCap = options.SoftCap,
            });
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isShared)
        {
            _pool.Dispose();
            _activationMemory?.Dispose();
        }

        base.Dispose(disposing);
    }

    private static PagedCache Cache(KvLayer layer, int* pages, int pagesPerSequence) => new()
    {
        Keys = Bytes(layer.Keys),
        Values = Bytes(layer.Values),
        PageTable = pages,
        PagesPerSequence = pagesPerSequence,
        Heads = layer.Heads,
        KeySize = layer.Keys.Columns,
        ValueSize = layer.Values.Columns,
        IsHalf = layer.Keys.Format == Format.F16,
    };

    private byte* ActivationMemory(long bytes)
    {
        if (_activationMemory is null || _activationMemory.ByteLength < bytes)
        {
            _activationMemory?.Dispose();
            _activationMemory = new CpuMemory(bytes);
        }

        return _activationMemory.Pointer;
    }

    private static byte* Bytes(Tensor tensor)
    {
        var memory = (CpuMemory)tensor.Memory;
        ObjectDisposedException.ThrowIf(memory.Pointer == null, tensor);
        return memory.Pointer + tensor.ByteOffset;
    }

    /// <summary>Some values of an F32 tensor that holds at least <paramref name="count"/> from <paramref name="first"/> on.</summary>
    private static float* Floats(Tensor tensor, long first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        return Floats(tensor, (long)Math.Min(long.MaxValue, (ulong)first + (ulong)count)) + first;
    }

    /// <summary>The values of an F32 tensor that holds at least <paramref name="count"/>.</summary>
    private static float* Floats(Tensor tensor, long count)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Format != Format.F32) throw new ArgumentException($"{tensor} should be f32.", nameof(tensor));
        if (tensor.Count < count) throw new ArgumentException($"{tensor} holds {tensor.Count} values, {count} are needed.", nameof(tensor));
        return (float*)Bytes(tensor);
    }
}
