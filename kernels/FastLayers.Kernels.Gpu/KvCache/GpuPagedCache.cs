using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>A <see cref="PagedCache"/> in the memory of a device.</summary>
internal readonly struct GpuPagedCache
{
    /// <summary>Keys, from page 0 on.</summary>
    public required ArrayView<byte> Keys { get; init; }

    /// <summary>Values, from page 0 on.</summary>
    public required ArrayView<byte> Values { get; init; }

    /// <summary>Page numbers, [sequences, <see cref="PagesPerSequence"/>].</summary>
    public required ArrayView<int> PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>Number of key/value heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Values a key head.</summary>
    public required int KeySize { get; init; }

    /// <summary>Values a value head.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Whether elements are IEEE half; else float32.</summary>
    public required bool IsHalf { get; init; }

    public GpuFloatSide<TElement, TFormat> KeySide<TElement, TFormat>()
        where TElement : unmanaged
        where TFormat : struct, IGpuFloat<TElement> =>
        new() { Elements = Keys.Cast<TElement>(), Fours = Keys.Cast<Four<TElement>>(), Heads = Heads, HeadSize = KeySize };

    public GpuFloatSide<TElement, TFormat> ValueSide<TElement, TFormat>()
        where TElement : unmanaged
        where TFormat : struct, IGpuFloat<TElement> =>
        new() { Elements = Values.Cast<TElement>(), Fours = Values.Cast<Four<TElement>>(), Heads = Heads, HeadSize = ValueSize };
}
