using System.Runtime.InteropServices;
using ILGPU;

namespace FastLayers.Kernels.Gpu;

/// <summary>Four floats that are loaded and stored at once.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Float4
{
    public float X;
    public float Y;
    public float Z;
    public float W;

    /// <summary>Floats of one.</summary>
    public const int Count = 4;

    private const int Bytes = 16;

    /// <summary>Whether a view starts where four floats may be loaded at once. Buffers themselves start at multiples of far more.</summary>
    public static bool IsAligned(ArrayView<float> view) => ((IContiguousArrayView)view).IndexInBytes % Bytes == 0;
}
