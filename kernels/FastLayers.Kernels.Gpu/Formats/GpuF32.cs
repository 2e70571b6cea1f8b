namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>F32 as it is.</summary>
internal readonly struct GpuF32 : IGpuFloat<float>
{
    public float Load(float element) => element;

    public float Store(float value) => value;
}
