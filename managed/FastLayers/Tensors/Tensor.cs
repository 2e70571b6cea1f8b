using FastLayers.Kernels.Formats;

namespace FastLayers;

/// <summary>
/// A matrix [rows, columns] in one storage format, in the memory of one device. Thin: no operators, no gradients; the operations are those
/// of <see cref="Device"/>. A vector is a matrix of one row.
/// </summary>
public sealed class Tensor : IDisposable
{
    private readonly bool _ownsMemory;

    internal Tensor(Device device, Format format, long rows, int columns, DeviceMemory memory, long byteOffset, bool ownsMemory)
    {
        Device = device;
        Format = format;
        Rows = rows;
        Columns = columns;
        Memory = memory;
        ByteOffset = byteOffset;
        _ownsMemory = ownsMemory;
    }

    /// <summary>The device whose memory holds the values.</summary>
    public Device Device { get; }

    /// <summary>How the values are stored.</summary>
    public Format Format { get; }

    /// <summary>Number of rows.</summary>
    public long Rows { get; }

    /// <summary>Values a row.</summary>
    public int Columns { get; }

    /// <summary>Number of values.</summary>
    public long Count => Rows * Columns;

    /// <summary>Bytes that the values take.</summary>
    public long ByteLength => Rows * Format.RowBytes(Columns);

    /// <summary>The memory that holds the values; a device's own type.</summary>
    public DeviceMemory Memory { get; }

    /// <summary>Where in <see cref="Memory"/> the first row starts.</summary>
    public long ByteOffset { get; }

    /// <summary>Whether this is a weight in the layout of <see cref="Device.PrepareWeight"/>, which only products understand.</summary>
    public bool IsPrepared { get; internal init; }

    /// <summary>A view of some rows; it shares the memory and must not outlive this tensor.</summary>
    /// <exception cref="InvalidOperationException">The tensor is prepared: its rows do not lie one after another.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rows do not exist.</exception>
    public Tensor SliceRows(long start, long count)
    {
        RequireRows();
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Rows - start);
        return new Tensor(Device, Format, count, Columns, Memory, ByteOffset + (start * Format.RowBytes(Columns)), ownsMemory: false);
    }

    /// <summary>A view of the same values with another number of columns, for formats of one value a block.</summary>
    /// <exception cref="ArgumentException">The values do not divide into rows of that length.</exception>
    /// <exception cref="InvalidOperationException">The tensor is prepared: its rows do not lie one after another.</exception>
    public Tensor Reshape(long rows, int columns)
    {
        RequireRows();
        if (rows < 0 || columns < 0 || (Int128)rows * columns != Count || (Format.BlockLength != 1 && columns != Columns && columns % Format.BlockLength != 0))
            throw new ArgumentException($"{Rows} x {Columns} {Format.Name} values are no {rows} x {columns} matrix.");
        return new Tensor(Device, Format, rows, columns, Memory, ByteOffset, ownsMemory: false);
    }

    /// <summary>Frees the memory, unless this is a view.</summary>
    public void Dispose()
    {
        if (_ownsMemory) Memory.Dispose();
    }

    private void RequireRows()
    {
        if (IsPrepared) throw new InvalidOperationException($"{this} was prepared to be the weight of products, and has no views.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Format.Name} [{Rows}, {Columns}] on {Device.Name}";
}

/// <summary>A piece of a device's memory.</summary>
public abstract class DeviceMemory : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public abstract long ByteLength { get; }

    /// <summary>Whether the memory was given back.</summary>
    public abstract bool IsDisposed { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory.</summary>
    protected abstract void Dispose(bool disposing);
}
