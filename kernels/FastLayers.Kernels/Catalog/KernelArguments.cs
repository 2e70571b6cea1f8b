using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Catalog;

/// <summary>
/// The buffers of one run of an operation, filled from a seed: the same seed gives the same content on every machine. Outputs start as
/// NaN (integers as -1), so that a value that a kernel forgets shows.
/// </summary>
public sealed class KernelArguments
{
    private readonly List<KernelBuffer> _buffers = [];
    private ulong _state;

    internal KernelArguments(KernelShape shape, ulong seed)
    {
        Shape = shape;
        _state = seed;
    }

    /// <summary>The sizes of this run.</summary>
    public KernelShape Shape { get; }

    /// <summary>All buffers, in the order in which they were added.</summary>
    public IReadOnlyList<KernelBuffer> Buffers => _buffers;

    /// <summary>The buffer called <paramref name="name"/>.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public KernelBuffer this[string name]
    {
        get
        {
            foreach (var buffer in _buffers)
                if (buffer.Name == name) return buffer;
            throw new ArgumentException($"The operation has no buffer '{name}'.", nameof(name));
        }
    }

    /// <summary>The floats of a buffer.</summary>
    public Span<float> Floats(string name) => this[name].Elements<float>();

    /// <summary>The integers of a buffer.</summary>
    public Span<int> Ints(string name) => this[name].Elements<int>();

    /// <summary>The bytes of a buffer of bytes.</summary>
    public Span<byte> Bytes(string name) => this[name].Elements<byte>();

    /// <summary>Row <paramref name="row"/> of a buffer of floats, [rows, columns].</summary>
    public Span<float> Row(string name, int row, int columns) => Floats(name).Slice(row * columns, columns);

    /// <summary>Adds floats that look like activations: bell-shaped around <paramref name="mean"/>, one in a hundred ten times as far out.</summary>
    /// <param name="name">Name of the buffer.</param>
    /// <param name="length">Floats.</param>
    /// <param name="deviation">Standard deviation without the outliers.</param>
    /// <param name="mean">Center.</param>
    /// <param name="role">Input, or input and output.</param>
    public Span<float> AddNoise(
        string name, int length, float deviation = 1, float mean = 0, KernelBufferRole role = KernelBufferRole.Input)
    {
        var values = Add<float>(name, role, length);
        foreach (ref var value in values)
        {
            value = mean + deviation * NextNormal();
            if (Next() % 100 == 0) value = mean + 10 * (value - mean);
        }

        return values;
    }

    /// <summary>Adds floats spread evenly from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public Span<float> AddUniform(string name, int length, float low, float high, KernelBufferRole role = KernelBufferRole.Input)
    {
        var values = Add<float>(name, role, length);
        foreach (ref var value in values) value = low + (high - low) * ((Next() >> 40) * 5.9604645e-8f);
        return values;
    }

    /// <summary>Adds integers from 0 to <paramref name="limit"/> - 1.</summary>
    public Span<int> AddInts(string name, int length, int limit)
    {
        var values = Add<int>(name, KernelBufferRole.Input, length);
        foreach (ref var value in values) value = (int)(Next() % (ulong)limit);
        return values;
    }

    /// <summary>Adds <paramref name="rows"/> rows of bell-shaped values of deviation 1, stored in <paramref name="format"/>.</summary>
    /// <param name="name">Name of the buffer.</param>
    /// <param name="format">How the rows are stored.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <param name="distinctRows">Rows that are made; those after repeat them.</param>
    public Span<byte> AddEncoded(string name, Format format, int rows, int columns, int distinctRows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(format);
        var values = new float[columns];
        var rowBytes = checked((int)format.RowBytes(columns));
        var bytes = Add<byte>(name, KernelBufferRole.Input, checked(rows * rowBytes));
        for (var row = 0; row < rows; row++)
        {
            if (row >= distinctRows)
            {
                bytes.Slice((row - distinctRows) * rowBytes, rowBytes).CopyTo(bytes[(row * rowBytes)..]);
                continue;
            }

            foreach (ref var value in values.AsSpan()) value = NextNormal();
            format.Encode(values, bytes.Slice(row * rowBytes, rowBytes));
        }

        return bytes;
    }

    /// <summary>Adds a buffer of <see cref="float"/>, <see cref="int"/> or <see cref="byte"/> elements, all bits set.</summary>
    /// <exception cref="ArgumentException">The name is taken, or the element type is another.</exception>
    public unsafe Span<T> Add<T>(string name, KernelBufferRole role, int length) where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(int) && typeof(T) != typeof(byte))
            throw new ArgumentException($"Buffer '{name}' should hold float, int or byte, found {typeof(T).Name}.", nameof(name));
        if (_buffers.Exists(buffer => buffer.Name == name)) throw new ArgumentException($"There is already a buffer '{name}'.", nameof(name));
        _buffers.Add(new KernelBuffer(name, role, typeof(T), sizeof(T), length));
        return _buffers[^1].Elements<T>();
    }

    /// <summary>A copy with memory of its own.</summary>
    public KernelArguments Clone()
    {
        var copy = new KernelArguments(Shape, _state);
        foreach (var buffer in _buffers) copy._buffers.Add(buffer.Clone());
        return copy;
    }

    /// <summary>64 random bits (splitmix64).</summary>
    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A value of mean 0 and deviation 1: the sum of four 16-bit pieces, centered and scaled.</summary>
    public float NextNormal()
    {
        var bits = Next();
        var sum = (int)(bits & 0xFFFF) + (int)((bits >> 16) & 0xFFFF) + (int)((bits >> 32) & 0xFFFF) + (int)(bits >> 48);
        return (sum - 131070) * (1 / 37837f);
    }
}
