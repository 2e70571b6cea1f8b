using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>BF16: the upper half of a float.</summary>
internal readonly struct GpuBF16 : IGpuHalf
{
    public bool IsExactInBF16 => true;

    public float Load(ushort element) => Interop.IntAsFloat((uint)element << 16);

    public ushort Store(float value)
    {
        int bits = (int)Interop.FloatAsInt(value);
        if ((bits & 0x7FFFFFFF) > 0x7F800000) return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >>> 16);
    }
}
