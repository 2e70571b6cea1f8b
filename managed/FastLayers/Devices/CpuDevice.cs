using System.Runtime.InteropServices;
using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Embedding;
using FastLayers.Kernels.Emit;
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
    private readonly KernelCode _code;
    private readonly bool _isShared;
    private readonly Lock _lock = new();
    private CpuMemory? _activationMemory;

    /// <summary>Starts a device.</summary>
    /// <param name="threads">Threads that compute, the caller's included; 0 takes one a core.</param>
    /// <param name="code">Where the code of kernels that exist in both ways comes from; <see cref="EmittedKernels.Variable"/> decides too.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is negative or above 1,024.</exception>
    public CpuDevice(int threads = 0, KernelCode code = KernelCode.Automatic) : this(threads, code, isShared: false)
    {
    }

    private CpuDevice(int threads, KernelCode code, bool isShared)
    {
        _code = code;
        _pool = new WorkerPool(threads == 0 ? Environment.ProcessorCount : threads);
        _isShared = isShared;
    }

    /// <summary>The device of <see cref="Device.Cpu"/>, which lives as long as the process.</summary>
    internal static CpuDevice CreateShared() => new(threads: 0, KernelCode.Automatic, isShared: true);

    /// <summary>Threads that compute.</summary>
    public int ThreadCount => _pool.WorkerCount;

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <inheritdoc/>
    public override string Description => $"{RuntimeInformation.ProcessArchitecture}, {(int)SimdDispatch.Level}-bit SIMD, {ThreadCount} threads";

    /// <inheritdoc/>
    public override long MemoryBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <inheritdoc/>
    protected override DeviceMemory AllocateMemory(Format format, long rows, int columns) => new CpuMemory(checked(rows * format.RowBytes(columns)));

    /// <inheritdoc/>
    protected override DeviceMemory MapMemory(Format format, long rows, int columns, byte* bytes) => new CpuMemory(bytes, rows * format.RowBytes(columns));

    /// <inheritdoc/>
    protected override DeviceMemory? PrepareMemory(Tensor weight, ActivationPrecision precision)
    {
        if (InterleavedLayout.For(weight.Format) is not { } layout || (layout.RoundsActivations && precision == ActivationPrecision.Float32)) return null;
        var memory = new CpuMemory(layout.Bytes(weight.Rows, weight.Columns), isReadThrough: true);
        layout.Interleave(_pool, Bytes(weight), weight.Rows, weight.Columns, memory.Pointer);
        return memory;
    }

    /// <inheritdoc/>
    protected override void ReadCore(Tensor source, long firstValue, Span<float> values) =>
        new ReadOnlySpan<float>(Floats(source) + firstValue, values.Length).CopyTo(values);

    /// <inheritdoc/>
    protected override void WriteCore(Tensor target, long firstValue, ReadOnlySpan<float> values) =>
        values.CopyTo(new Span<float>(Floats(target) + firstValue, values.Length));

    /// <inheritdoc/>
    protected override void CopyCore(Tensor source, long sourceRow, Tensor target, long targetRow, long rows)
    {
        long rowBytes = source.Format.RowBytes(source.Columns);
        Buffer.MemoryCopy(Bytes(source) + (sourceRow * rowBytes), Bytes(target) + (targetRow * rowBytes), rows * rowBytes, rows * rowBytes);
    }

    /// <inheritdoc/>
    protected override void ClearCore(Tensor target, int rows, int columns) => NativeMemory.Clear(Floats(target), (nuint)rows * (nuint)columns * sizeof(float));

    /// <inheritdoc/>
    protected override void EmbedCore(Tensor table, ReadOnlySpan<int> ids, float scale, Tensor output)
    {
        // By itself each row fits a span, which all of them need not.
        int rowBytes = checked((int)table.Format.RowBytes(table.Columns));
        for (int row = 0; row < ids.Length; row++)
            EmbeddingLookup.Row(table.Format, new ReadOnlySpan<byte>(Bytes(table) + ((long)ids[row] * rowBytes), rowBytes), scale, Row(Floats(output), row, table.Columns));
    }

    /// <inheritdoc/>
    protected override void MatMulCore(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows, ActivationPrecision precision)
    {
        var arguments = Arguments(weight, bias, input, output, rows);
        if (weight.IsPrepared)
        {
            RequireRounding(weight, precision);
            var layout = InterleavedLayout.For(weight.Format)!;
            lock (_lock) MatMulSimdInterleaved.Multiply(_pool, layout, arguments, ActivationMemory(layout.ActivationBytes(rows, weight.Columns)));
            return;
        }

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
    protected override void MatMulCore(ReadOnlySpan<Projection> projections, Tensor input, int rows, ActivationPrecision precision)
    {
        if (projections.Length is < 2 or > MatMulSimdInterleaved.LargestGroup || !HaveSameInput(projections))
        {
            base.MatMulCore(projections, input, rows, precision);
            return;
        }

        Span<MatMulArguments> group = [default, default, default, default];
        for (int i = 0; i < projections.Length; i++)
        {
            RequireRounding(projections[i].Weight, precision);
            group[i] = Arguments(projections[i].Weight, projections[i].Bias, input, projections[i].Output, rows);
        }

        var first = projections[0].Weight;
        lock (_lock) MatMulSimdInterleaved.Multiply(_pool, group[..projections.Length], ActivationMemory(InterleavedLayout.For(first.Format)!.ActivationBytes(rows, first.Columns)));
    }

    /// <summary>Whether all matrices are prepared to read the input in the same arrangement.</summary>
    private static bool HaveSameInput(ReadOnlySpan<Projection> projections)
    {
        var first = projections[0].Weight;
        foreach (var projection in projections)
        {
            var weight = projection.Weight;
            if (!weight.IsPrepared || weight.Columns != first.Columns || InterleavedLayout.For(weight.Format)!.RoundsActivations != InterleavedLayout.For(first.Format)!.RoundsActivations) return false;
        }

        return true;
    }

    private static void RequireRounding(Tensor prepared, ActivationPrecision precision)
    {
        if (precision == ActivationPrecision.Float32 && prepared.Format.BlockLength > 1) throw new ArgumentException($"MatMul: {prepared} was prepared for 8-bit activations.", nameof(prepared));
    }

    private MatMulArguments Arguments(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows) => new()
    {
        Format = weight.Format,
        Weights = Bytes(weight),
        Bias = bias is null ? null : Floats(bias),
        Input = Floats(input),
        Output = Floats(output),
        Rows = rows,
        Outputs = (int)weight.Rows,
        Columns = weight.Columns,
        Code = _code,
    };

    /// <inheritdoc/>
    public override bool SupportsCache(Format keys, Format values) => CachedRow.Supports(keys) && CachedRow.Supports(values);

    /// <inheritdoc/>
    protected override void AppendKvCore(KvLayer layer, in BatchRows batch, Tensor keys, Tensor values)
    {
        fixed (int* sequences = batch.Sequences, positions = batch.Positions, pages = batch.PageTable)
        {
            var cache = Cache(layer, pages, batch.PagesPerSequence);
            Kernels.KvCache.AppendKv.Append(_pool, cache, Floats(keys), Floats(values), sequences, positions, batch.Count);
        }
    }

    /// <inheritdoc/>
    protected override void AttendCore(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor output)
    {
        fixed (int* sequences = batch.Sequences, windowStart = batch.WindowStart, end = batch.End, pages = batch.PageTable)
        {
            var cache = Cache(layer, pages, batch.PagesPerSequence);
            var arguments = new AttentionArguments
            {
                Cache = cache,
                Query = Floats(query),
                Output = Floats(output),
                Sequences = sequences,
                First = options.Windowed ? windowStart : null,
                End = end,
                Rows = batch.Count,
                Heads = options.Heads,
                Scale = options.Scale,
                SoftCap = options.SoftCap,
                Exact = options.Precision == ActivationPrecision.Float32,
            };
            lock (_lock) AttentionSimd.Attend(_pool, arguments, (float*)ActivationMemory(AttentionSimd.WorkspaceLength(arguments) * sizeof(float)));
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
        KeyFormat = layer.Keys.Format,
        ValueFormat = layer.Values.Format,
    };

    private byte* ActivationMemory(long bytes)
    {
        if (_activationMemory is null || _activationMemory.ByteLength < bytes)
        {
            _activationMemory?.Dispose();
            _activationMemory = null;
            _activationMemory = new CpuMemory(bytes);
        }

        return _activationMemory.Pointer;
    }

    private static byte* Bytes(Tensor tensor)
    {
        var memory = (CpuMemory)tensor.Memory;
        return memory.Pointer + tensor.ByteOffset;
    }

    private static float* Floats(Tensor tensor) => (float*)Bytes(tensor);
}
