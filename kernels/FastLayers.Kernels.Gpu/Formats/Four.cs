namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Four neighbors in memory, loaded and stored at once where they are aligned.</summary>
internal struct Four<T>
    where T : unmanaged
{
    public T A;
    public T B;
    public T C;
    public T D;
}
