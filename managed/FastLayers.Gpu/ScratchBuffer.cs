using FastLayers.Kernels.Gpu;
using ILGPU;
using ILGPU.Runtime;

namespace FastLayers.Gpu;

/// <summary>Memory for what an operation needs only while it runs; it grows to the largest need and stays.</summary>
internal sealed class ScratchBuffer(GpuAllocator allocator)
{
    private MemoryBuffer1D<byte, Stride1D.Dense>? _buffer;

    /// <summary>Elements with any content, until the next call.</summary>
    public ArrayView<T> Take<T>(long length) where T : unmanaged
    {
        long bytes = length * Interop.SizeOf<T>();
        if (_buffer is null || _buffer.Length < bytes)
        {
            if (_buffer is not null) allocator.Return(_buffer);
            _buffer = null;
            _buffer = allocator.Rent(bytes);
        }

        return _buffer.View.BaseView.SubView(0, bytes).Cast<T>();
    }
}
