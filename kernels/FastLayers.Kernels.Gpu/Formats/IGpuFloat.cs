namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>A format of one value an element: F32, F16 or BF16.</summary>
/// <typeparam name="TElement">The element in memory: <see cref="float"/>, or <see cref="ushort"/> for the bits of 16-bit floats.</typeparam>
internal interface IGpuFloat<TElement>
    where TElement : unmanaged
{
    /// <summary>The value of an element.</summary>
    float Load(TElement element);

    /// <summary>The element nearest to a value, ties to even.</summary>
    TElement Store(float value);
}
