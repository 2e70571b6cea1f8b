using System.Numerics;
using System.Text;
using FastLayers.Kernels.Formats;

namespace FastLayers.Loading;

/// <summary>
/// Writes a GGUF file, version 3. Metadata and the list of tensors are collected first; the bytes of each tensor are asked
/// for only when its turn in the file comes, so that a model larger than memory can be written.
/// </summary>
/// <example><code>
/// var writer = new GgufWriter();
/// writer.SetMetadata("general.architecture", "llama");
/// writer.AddTensor("token_embd.weight", [512, 64], Format.F32, stream => stream.Write(bytes));
/// writer.Write("model.gguf");
/// </code></example>
public sealed class GgufWriter
{
    /// <summary>The bytes copied in one go from another model.</summary>
    private const int CopiedBytes = 1 << 20;

    private readonly uint _alignment;
    private readonly Dictionary<string, object> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Starts an empty file.</summary>
    /// <param name="alignment">Each tensor starts at a multiple of so many bytes; a power of two.</param>
    public GgufWriter(int alignment = (int)GgufFile.DefaultAlignment)
    {
        if (!BitOperations.IsPow2(alignment)) throw new ArgumentException($"Alignment should be a power of two, found {alignment}.", nameof(alignment));
        _alignment = (uint)alignment;
    }

    /// <summary>Sets a metadata value; the order of first setting is the order in the file.</summary>
    /// <param name="key">The key, e.g. <c>general.architecture</c>.</param>
    /// <param name="value">A number of 8 to 64 bits, a flag, a text, or an array of one of them.</param>
    /// <exception cref="ArgumentException">GGUF has no type for the value; or the key is <c>general.alignment</c>, which the constructor sets.</exception>
    public void SetMetadata(string key, object value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(value);
        if (key == GgufFile.AlignmentKey) throw new ArgumentException($"'{key}' is set by the constructor.", nameof(key));
        GgufMetadataEncoding.CheckWritable(key, value);
        _metadata[key] = value;
    }

    /// <summary>Sets all metadata values of another model, except its alignment.</summary>
    public void SetMetadata(ModelMetadata source)
    {
        ArgumentNullException.ThrowIfNull(source);
        foreach (var (key, value) in source.Values)
        {
            if (key != GgufFile.AlignmentKey) SetMetadata(key, value);
        }
    }

    /// <summary>Adds a tensor; its bytes are asked for while the file is written.</summary>
    /// <param name="name">A name that occurs once.</param>
    /// <param name="shape">Row-major, slowest axis first: <c>[rows, columns]</c>; one to four axes.</param>
    /// <param name="format">The storage format of each row.</param>
    /// <param name="write">Writes exactly the bytes of the tensor, row after row.</param>
    /// <exception cref="ArgumentException">The name is taken, or the shape does not fit GGUF or the format.</exception>
    public void AddTensor(string name, ReadOnlySpan<long> shape, Format format, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(write);
        if (shape.Length is 0 or > GgufFile.MostAxes)
            throw new ArgumentException($"{Refusal.Tensor(name)}: expected 1 to {GgufFile.MostAxes} axes, found {shape.Length}.", nameof(shape));
        foreach (var length in shape)
        {
            if (length <= 0) throw new ArgumentException($"{Refusal.Tensor(name)}: expected axes of at least 1, found {Refusal.Shape(shape)}.", nameof(shape));
        }
        var byteLength = format.RowBytes(shape[^1]);
        foreach (var length in shape[..^1]) byteLength = checked(byteLength * length);
        if (!_tensors.TryAdd(name, new Tensor(shape.ToArray(), format, byteLength, write)))
            throw new ArgumentException($"{Refusal.Tensor(name)} was added before.", nameof(name));
    }

    /// <summary>Adds a tensor whose bytes are in memory.</summary>
    /// <exception cref="ArgumentException">The name is taken, the shape does not fit GGUF or the format, or the bytes do not fit the shape.</exception>
    public void AddTensor(string name, ReadOnlySpan<long> shape, Format format, ReadOnlyMemory<byte> bytes)
    {
        AddTensor(name, shape, format, stream => stream.Write(bytes.Span));
        if (_tensors[name].ByteLength == bytes.Length) return;
        var expected = _tensors[name].ByteLength;
        _tensors.Remove(name);
        throw new ArgumentException($"{Refusal.Tensor(name)}: expected {expected} bytes, found {bytes.Length}.", nameof(bytes));
    }

    /// <summary>Adds a tensor of another model unchanged; that model must stay open until this one is written.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void AddTensor(ModelFile source, TensorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(entry);
        AddTensor(entry.Name, entry.Shape, entry.Format, stream => Copy(source, entry, stream));
    }

    /// <summary>
    /// Writes the file. It appears under its name only when it is complete: until then the bytes are in
    /// <paramref name="path"/> + <c>.partial</c>, which is removed when a callback fails.
    /// </summary>
    /// <exception cref="InvalidOperationException">A callback wrote another number of bytes than its tensor has.</exception>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var partial = path + ".partial";
        try
        {
            using (var stream = File.Create(partial)) Write(stream);
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>Writes the file to a stream, from start to end without seeking.</summary>
    /// <exception cref="InvalidOperationException">A callback wrote another number of bytes than its tensor has.</exception>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var counted = new CountedStream(stream);
        WriteHeader(counted);
        Pad(counted);
        foreach (var (name, tensor) in _tensors)
        {
            var end = counted.Position + tensor.ByteLength;
            counted.Limit = end;
            tensor.Write(counted);
            if (counted.Position != end)
                throw new InvalidOperationException($"{Refusal.Tensor(name)}: expected {tensor.ByteLength} bytes from its callback, found {counted.Position - end + tensor.ByteLength}.");
            counted.Limit = long.MaxValue;
            Pad(counted);
        }
        counted.Flush();
    }

    private void WriteHeader(Stream stream)
    {
        using var output = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        var stateAlignment = _alignment != GgufFile.DefaultAlignment;
        output.Write("GGUF"u8);
        output.Write(3u);
        output.Write((ulong)_tensors.Count);
        output.Write((ulong)_metadata.Count + (stateAlignment ? 1u : 0u));
        if (stateAlignment) GgufMetadataEncoding.Write(output, GgufFile.AlignmentKey, _alignment);
        foreach (var (key, value) in _metadata) GgufMetadataEncoding.Write(output, key, value);

        long offset = 0;
        foreach (var (name, tensor) in _tensors)
        {
            GgufMetadataEncoding.WriteText(output, name);
            output.Write((uint)tensor.Shape.Length);
            foreach (var length in tensor.Shape.Reverse()) output.Write((ulong)length);
            output.Write((uint)tensor.Format.TypeId);
            output.Write((ulong)offset);
            offset = checked((offset + tensor.ByteLength + _alignment - 1) / _alignment * _alignment);
        }
    }

    private void Pad(CountedStream stream)
    {
        var count = (int)((_alignment - stream.Position % _alignment) % _alignment);
        if (count > 0) stream.Write(new byte[count]);
    }

    private static unsafe void Copy(ModelFile source, TensorEntry entry, Stream stream)
    {
        var start = source.Pointer(entry);
        for (long at = 0; at < entry.ByteLength; at += CopiedBytes)
            stream.Write(new ReadOnlySpan<byte>(start + at, (int)Math.Min(CopiedBytes, entry.ByteLength - at)));
    }

    private sealed record Tensor(long[] Shape, Format Format, long ByteLength, Action<Stream> Write);
}
