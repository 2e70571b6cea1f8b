using FastLayers.Kernels.Formats;

namespace FastLayers;

/// <summary>
/// What a device must do for a transformer: layer-sized operations on tensors in its memory. All activations are F32 matrices
/// [rows, columns]; <c>rows</c> arguments say how many of a tensor's rows take part, so that one allocation serves batches of any size.
/// Operations run in order; results are visible to the host after <see cref="Read"/>. Every operation checks its operands before it starts,
/// on every device alike: a tensor of another device, a disposed one, one of another format or too small, or a negative count is an
/// exception that names the operation, the operand and what is needed.
/// </summary>
public abstract partial class Device : IDisposable
{
    private static readonly Lazy<CpuDevice> s_cpu = new(CpuDevice.CreateShared);

    /// <summary>The processor, with one thread a core. The whole process shares it: disposing it does nothing.</summary>
    public static CpuDevice Cpu => s_cpu.Value;

    /// <summary>A short name such as <c>cpu</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the device is, in words.</summary>
    public abstract string Description { get; }

    /// <summary>Memory of the device in bytes.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>Allocates a matrix of zeros.</summary>
    /// <exception cref="ArgumentException">The columns are no multiple of the format's block, or a count is negative.</exception>
    /// <exception cref="OutOfMemoryException">The device has not that much memory left.</exception>
    public Tensor Allocate(Format format, long rows, int columns)
    {
        RequireMatrix(format, rows, columns);
        return new Tensor(this, format, rows, columns, AllocateMemory(format, rows, columns), 0, ownsMemory: true);
    }

    /// <summary>
    /// Makes a matrix out of bytes of a mapped file. The CPU uses them in place, so the mapping must outlive the tensor; other devices copy
    /// them.
    /// </summary>
    /// <exception cref="ArgumentException">The columns are no multiple of the format's block, or a count is negative.</exception>
    /// <exception cref="OutOfMemoryException">The device has not that much memory left.</exception>
    public unsafe Tensor FromMapped(Format format, long rows, int columns, byte* bytes)
    {
        RequireMatrix(format, rows, columns);
        if (bytes == null && rows * columns > 0) throw new ArgumentNullException(nameof(bytes));
        return new Tensor(this, format, rows, columns, MapMemory(format, rows, columns, bytes), 0, ownsMemory: true);
    }

    /// <summary>
    /// Lays a matrix out as <see cref="MatMul(Tensor, Tensor?, Tensor, Tensor, int, ActivationPrecision)"/> reads it fastest with activations of a precision. The result serves as the weight of products
    /// and for nothing else; it has memory of its own, or is <paramref name="weight"/> itself where there is nothing better.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The device has not that much memory left.</exception>
    public Tensor PrepareWeight(Tensor weight, ActivationPrecision precision)
    {
        RequireUsable(weight, nameof(weight), nameof(PrepareWeight));
        return weight.Rows > 0 && PrepareMemory(weight, precision) is { } memory
            ? new Tensor(this, weight.Format, weight.Rows, weight.Columns, memory, 0, ownsMemory: true) { IsPrepared = true }
            : weight;
    }

    /// <summary>Copies values of an F32 tensor to the host, waiting for all operations before.</summary>
    /// <exception cref="ArgumentException">More values than the tensor has.</exception>
    public void Read(Tensor source, long firstValue, Span<float> values)
    {
        using var timer = Timed();
        RequireValues(source, firstValue, values.Length);
        if (values.Length > 0) ReadCore(source, firstValue, values);
    }

    /// <summary>Copies values from the host into an F32 tensor.</summary>
    /// <exception cref="ArgumentException">More values than the tensor has.</exception>
    public void Write(Tensor target, long firstValue, ReadOnlySpan<float> values)
    {
        using var timer = Timed();
        RequireValues(target, firstValue, values.Length);
        if (values.Length > 0) WriteCore(target, firstValue, values);
    }

    /// <summary>Copies rows between tensors of one format and width on this device; the rows must not overlap.</summary>
    public void Copy(Tensor source, long sourceRow, Tensor target, long targetRow, long rows)
    {
        using var timer = Timed();
        RequireUsable(source, nameof(source), nameof(Copy));
        RequireUsable(target, nameof(target), nameof(Copy));
        ArgumentOutOfRangeException.ThrowIfNegative(sourceRow);
        ArgumentOutOfRangeException.ThrowIfNegative(targetRow);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (source.Format != target.Format || source.Columns != target.Columns || sourceRow > source.Rows - rows || targetRow > target.Rows - rows)
            throw new ArgumentException($"Copy: rows {sourceRow}..{sourceRow + rows} of {source} do not fit at row {targetRow} of {target}.");
        if (rows > 0) CopyCore(source, sourceRow, target, targetRow, rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the device holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Zeroed memory for a matrix.</summary>
    protected abstract DeviceMemory AllocateMemory(Format format, long rows, int columns);

    /// <summary>Memory with the content of a mapped file: the file's own, or a copy.</summary>
    protected abstract unsafe DeviceMemory MapMemory(Format format, long rows, int columns, byte* bytes);

    /// <summary>A copy of a weight as products read it, or null to use the weight as it is.</summary>
    protected virtual DeviceMemory? PrepareMemory(Tensor weight, ActivationPrecision precision) => null;

    /// <summary>Implements <see cref="Read"/> for at least one value.</summary>
    protected abstract void ReadCore(Tensor source, long firstValue, Span<float> values);

    /// <summary>Implements <see cref="Write"/> for at least one value.</summary>
    protected abstract void WriteCore(Tensor target, long firstValue, ReadOnlySpan<float> values);

    /// <summary>Implements <see cref="Copy"/> for at least one row.</summary>
    protected abstract void CopyCore(Tensor source, long sourceRow, Tensor target, long targetRow, long rows);
}
