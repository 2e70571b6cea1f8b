using FastLayers.Kernels.Gpu;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Gpu;

/// <summary>
/// A small array of the host on a device. All layers of a forward pass ask for the same positions and pages: content that is there already
/// is not copied again.
/// </summary>
internal sealed class UploadedArray<T>(GpuLauncher launcher, GpuAllocator allocator)
    where T : unmanaged, IEquatable<T>
{
    private MemoryBuffer1D<byte, Stride1D.Dense>? _buffer;
    private T[] _content = [];
    private int _length = -1;

    /// <summary>The values on the device, until the next call.</summary>
    public ArrayView<T> Upload(ReadOnlySpan<T> values)
    {
        if (_buffer is null || _content.Length < values.Length)
        {
            if (_buffer is not null) allocator.Return(_buffer);
            _buffer = null;
            _length = -1;
            int capacity = Math.Max(16, values.Length);
            _buffer = allocator.Rent((long)capacity * Interop.SizeOf<T>());
            _content = new T[capacity];
        }

        var view = _buffer.View.BaseView.SubView(0, (long)values.Length * Interop.SizeOf<T>()).Cast<T>();
        if (_length == values.Length && values.SequenceEqual(_content.AsSpan(0, _length))) return view;
        _length = -1;
        launcher.Upload(values, view);
        values.CopyTo(_content);
        _length = values.Length;
        return view;
    }
}
