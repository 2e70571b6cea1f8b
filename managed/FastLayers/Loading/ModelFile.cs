using System.Diagnostics.CodeAnalysis;

namespace FastLayers.Loading;

/// <summary>
/// A model on disk: metadata, and tensors that are mapped into memory and never copied. The pointers and spans it gives out
/// are valid until it is disposed. All members may be used from several threads at once, except <see cref="Dispose()"/>.
/// </summary>
/// <remarks>
/// Opening checks every number of the headers against the length of the files before it is used; the weights themselves are
/// not read. <see cref="CheckFinite"/> looks at them.
/// </remarks>
public abstract class ModelFile : IDisposable
{
    /// <summary>The bytes that are checked in one go: enough to amortize the call, small enough to find the bad block quickly.</summary>
    private const int CheckedBytes = 1 << 18;

    private readonly Dictionary<string, MappedFile> _maps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorEntry> _byName = new(StringComparer.Ordinal);
    private readonly List<TensorEntry> _tensors = [];
    private readonly Dictionary<string, UnsupportedTensor> _unsupportedByName = new(StringComparer.Ordinal);
    private readonly List<UnsupportedTensor> _unsupported = [];

    private protected ModelFile(string path) => Path = path;

    /// <summary>The path that was opened; for a sharded model its index or folder.</summary>
    public string Path { get; }

    /// <summary>The key/value pairs that describe the model.</summary>
    public ModelMetadata Metadata { get; private protected set; } = null!;

    /// <summary>The tensors that layers can read, in file order.</summary>
    public IReadOnlyList<TensorEntry> Tensors => _tensors;

    /// <summary>The tensors that are listed in the file but cannot be read; <see cref="GetTensor"/> refuses them by name.</summary>
    public IReadOnlyList<UnsupportedTensor> UnsupportedTensors => _unsupported;

    /// <summary>
    /// Opens <c>*.gguf</c> (or any file that starts as one), <c>*.safetensors</c>, <c>model.safetensors.index.json</c>, or a folder that holds <c>config.json</c>
    /// and safetensors files.
    /// </summary>
    /// <exception cref="FileNotFoundException">The file, or a file that it names, does not exist.</exception>
    /// <exception cref="InvalidDataException">The content is not a valid model file; the message names file, place, expected and found.</exception>
    public static ModelFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) return new SafetensorsFile(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: there is no such file or folder.", path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)) return new SafetensorsFile(path);
        if (path.EndsWith(".safetensors.index.json", StringComparison.OrdinalIgnoreCase)) return new SafetensorsFile(path);
        if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || StartsAsGguf(path)) return new GgufFile(path);
        throw Refusal.Of(path, "file name", "*.gguf, *.safetensors, *.safetensors.index.json or a folder", Refusal.Quote(System.IO.Path.GetExtension(path)));
    }

    /// <summary>Finds a tensor by its name.</summary>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out TensorEntry? entry) => _byName.TryGetValue(name, out entry);

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or lists it in <see cref="UnsupportedTensors"/>.</exception>
    public TensorEntry GetTensor(string name)
    {
        if (_byName.TryGetValue(name, out var entry)) return entry;
        throw _unsupportedByName.TryGetValue(name, out var refused)
            ? Refusal.Of(refused.File, Refusal.Tensor(name), "a tensor that layers can read",
                $"{refused.ElementType} {Refusal.Shape(refused.Shape)}, {refused.Reason}")
            : Refusal.Of(Path, Refusal.Tensor(name), "a tensor of this name", $"none among {_tensors.Count}");
    }

    /// <summary>The first byte of a tensor of this file.</summary>
    /// <exception cref="ArgumentException">The entry does not describe bytes of this file.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public unsafe byte* Pointer(TensorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!_maps.TryGetValue(entry.File, out var map) || entry.Offset < 0 || entry.ByteLength < 0 || entry.ByteLength > map.Length - entry.Offset)
            throw new ArgumentException($"{Path}: {Refusal.Tensor(entry.Name)} at {entry.Offset} in '{entry.File}' is not part of this model.", nameof(entry));
        return map.Start + entry.Offset;
    }

    /// <summary>The bytes of a tensor of this file, without a copy.</summary>
    /// <exception cref="NotSupportedException">The tensor is longer than a span can be; use <see cref="Pointer"/>.</exception>
    /// <exception cref="ArgumentException">The entry does not describe bytes of this file.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public unsafe ReadOnlySpan<byte> Bytes(TensorEntry entry)
    {
        var start = Pointer(entry);
        if (entry.ByteLength > int.MaxValue)
            throw new NotSupportedException($"{entry.File}: {Refusal.Tensor(entry.Name)} has {entry.ByteLength} bytes, a span holds at most {int.MaxValue}.");
        return new ReadOnlySpan<byte>(start, (int)entry.ByteLength);
    }

    /// <summary>
    /// Checks that no value of a float format, and no scale or minimum of a format of blocks, is infinite or not a number. Reads all bytes.
    /// </summary>
    /// <exception cref="InvalidDataException">There is one; the message names the tensor and the first such value or block.</exception>
    public unsafe void CheckFinite(TensorEntry entry)
    {
        var start = Pointer(entry);
        var blockBytes = entry.Format.BlockBytes;
        var stride = CheckedBytes / blockBytes * blockBytes;
        for (long at = 0; at < entry.ByteLength; at += stride)
        {
            var chunk = new ReadOnlySpan<byte>(start + at, (int)Math.Min(stride, entry.ByteLength - at));
            if (FloatValues.IndexOfNonFinite(entry.Format, chunk) is var value and >= 0)
            {
                var found = FloatValues.IsNaN(entry.Format, chunk.Slice(value * blockBytes, blockBytes)) ? "NaN" : "an infinity";
                throw Refusal.Of(entry.File, $"{Refusal.Tensor(entry.Name)} value {at / blockBytes + value}", "a finite number", found);
            }

            if (entry.Format.HasFiniteScales(chunk)) continue;
            var block = 0;
            while (entry.Format.HasFiniteScales(chunk.Slice(block * blockBytes, blockBytes))) block++;
            throw Refusal.Of(entry.File, $"{Refusal.Tensor(entry.Name)} block {at / blockBytes + block}", "finite scales", $"an infinity or NaN in a block of {entry.Format.Name}");
        }
    }

    /// <summary>
    /// Tells the system that what was read of the files is not needed for now, so that it does not count as memory of the process. Reading it
    /// again brings it back.
    /// </summary>
    internal void Forget()
    {
        foreach (var map in _maps.Values) map.Forget();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var map in _maps.Values) map.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Maps one more file of the model; it is closed with this object.</summary>
    private protected MappedFile Map(string path)
    {
        if (_maps.TryGetValue(path, out var known)) return known;
        var map = MappedFile.Open(path);
        _maps.Add(path, map);
        return map;
    }

    /// <summary>Lists a tensor.</summary>
    /// <exception cref="InvalidDataException">The name is taken.</exception>
    private protected void Add(TensorEntry entry)
    {
        CheckNameIsFree(entry.File, entry.Name);
        _byName.Add(entry.Name, entry);
        _tensors.Add(entry);
    }

    /// <summary>Lists a tensor that cannot be read.</summary>
    /// <exception cref="InvalidDataException">The name is taken.</exception>
    private protected void Add(UnsupportedTensor tensor)
    {
        CheckNameIsFree(tensor.File, tensor.Name);
        _unsupportedByName.Add(tensor.Name, tensor);
        _unsupported.Add(tensor);
    }

    /// <summary>The file that holds a tensor, readable or not; null if none does.</summary>
    private protected string? FileOf(string name) =>
        _byName.TryGetValue(name, out var entry) ? entry.File
        : _unsupportedByName.TryGetValue(name, out var tensor) ? tensor.File
        : null;

    private void CheckNameIsFree(string file, string name)
    {
        if (FileOf(name) is { } holder)
            throw Refusal.Of(file, Refusal.Tensor(name), "a name that occurs once", holder == file ? "a second tensor of that name" : $"it in '{holder}' too");
    }

    private static bool StartsAsGguf(string path)
    {
        Span<byte> start = stackalloc byte[4];
        using var handle = File.OpenHandle(path);
        return RandomAccess.Read(handle, start, 0) == start.Length && start.SequenceEqual("GGUF"u8);
    }
}
