using FastLayers.Kernels.Catalog;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Kernels.Gpu.Catalog;

/// <summary>
/// The buffers of one run of a catalog entry in the memory of an accelerator, the guard bytes on both sides of each included, so that a
/// kernel that reads or writes beside a buffer betrays itself there too.
/// </summary>
public sealed class GpuBuffers : IDisposable
{
    private readonly KernelArguments _arguments;
    private readonly GpuLauncher _launcher;
    private readonly List<MemoryBuffer1D<byte, Stride1D.Dense>> _memory = [];
    private readonly List<MemoryBuffer1D<byte, Stride1D.Dense>> _scratch = [];
    private readonly Dictionary<string, GpuMatrix> _matrices = [];
    private int _scratchInUse;

    internal GpuBuffers(GpuLauncher launcher, KernelArguments arguments)
    {
        _launcher = launcher;
        _arguments = arguments;
        try
        {
            foreach (var buffer in arguments.Buffers)
            {
                _memory.Add(launcher.Allocate(buffer.GuardedBytes.Length));
                launcher.Upload(buffer.GuardedBytes, _memory[^1].View.BaseView);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The sizes of this run.</summary>
    public KernelShape Shape => _arguments.Shape;

    /// <summary>The floats of a buffer.</summary>
    public ArrayView<float> Floats(string name) => View<float>(name);

    /// <summary>The integers of a buffer.</summary>
    public ArrayView<int> Ints(string name) => View<int>(name);

    /// <summary>The bytes of a buffer.</summary>
    public ArrayView<byte> Bytes(string name) => View<byte>(name);

    /// <summary>The bytes of a buffer as the host has them, for launches that need values on the host.</summary>
    public ReadOnlySpan<byte> HostBytes(string name) => _arguments[name].Bytes;

    /// <summary>
    /// A buffer of encoded rows, which is in the order of a file, as the kernels read it: a copy in the layout of a device with guard bytes
    /// around it.
    /// </summary>
    internal GpuMatrix Matrix(string name, Format format, int rows, int columns)
    {
        if (_matrices.TryGetValue(name, out var uploaded)) return uploaded;
        var layout = GpuMatrixLayout.Of(format, rows, columns);
        var source = HostBytes(name);
        if (source.Length != rows * format.RowBytes(columns))
            throw new ArgumentException($"Buffer '{name}' should have {rows * format.RowBytes(columns)} bytes, found {source.Length}.", nameof(name));
        int length = checked((int)layout.ByteLength);
        byte[] bytes = new byte[length + (2 * KernelBuffer.GuardBytes)];
        bytes.AsSpan().Fill(0xFF);
        var planes = bytes.AsSpan(KernelBuffer.GuardBytes, length);
        layout.Split(source, planes, planes[(int)layout.RestStart..]);
        _memory.Add(_launcher.Allocate(bytes.Length));
        _launcher.Upload<byte>(bytes, _memory[^1].View.BaseView);
        return _matrices[name] = layout.On(_memory[^1].View.BaseView.SubView(KernelBuffer.GuardBytes, length));
    }

    /// <summary>Scratch memory of <paramref name="length"/> elements until these buffers are run again.</summary>
    public ArrayView<T> Scratch<T>(int length) where T : unmanaged
    {
        int bytes = Math.Max(16, checked(length * Interop.SizeOf<T>()));
        if (_scratchInUse == _scratch.Count) _scratch.Add(_launcher.Allocate(bytes));
        var memory = _scratch[_scratchInUse++];
        return memory.View.BaseView.SubView(0, (long)length * Interop.SizeOf<T>()).Cast<T>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var memory in _memory) _launcher.Close(memory);
        foreach (var memory in _scratch) _launcher.Close(memory);
    }

    /// <summary>
    /// Begins another run of the same entry: scratch memory is handed out again in the order in which the run before asked for it, so that
    /// measuring allocates and uploads nothing.
    /// </summary>
    internal void Restart() => _scratchInUse = 0;

    /// <summary>Waits for the kernels and copies everything back, the guards included.</summary>
    internal void Download()
    {
        for (int i = 0; i < _arguments.Buffers.Count; i++) _launcher.Download(_memory[i].View.BaseView, _arguments.Buffers[i].GuardedBytes);
    }

    private ArrayView<T> View<T>(string name) where T : unmanaged
    {
        for (int i = 0; i < _arguments.Buffers.Count; i++)
        {
            var buffer = _arguments.Buffers[i];
            if (buffer.Name == name) return _memory[i].View.BaseView.SubView(KernelBuffer.GuardBytes, buffer.ByteLength).Cast<T>();
        }

        throw new ArgumentException($"The operation has no buffer '{name}'.", nameof(name));
    }
}
