using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Keys or values in float32 or half precision, in the pages of a <see cref="PagedCache"/>.</summary>
internal struct GpuFloatSide<TElement, TFormat> : IGpuCacheSide
    where TElement : unmanaged
    where TFormat : struct, IGpuFloat<TElement>
{
    public ArrayView<TElement> Elements;

    /// <summary>The same memory, for heads of whole fours.</summary>
    public ArrayView<Four<TElement>> Fours;
    public int Heads;
    public int HeadSize;

    public readonly int Size => HeadSize;

    public readonly long Row(int sequence, int page, int position, int head) =>
        (((((long)page * Heads) + head) * PagedCache.PageLength) + (position % PagedCache.PageLength)) * HeadSize;

    public readonly Four<float> Load(long row, int position, int first)
    {
        TFormat format = default;
        Four<float> result = default;
        if ((HeadSize & 3) == 0)
        {
            var four = Fours[(row + first) >> 2];
            result.A = format.Load(four.A);
            result.B = format.Load(four.B);
            result.C = format.Load(four.C);
            result.D = format.Load(four.D);
            return result;
        }

        var head = Elements.SubView(row, HeadSize);
        result.A = format.Load(head[first]);
        if (first + 1 < HeadSize) result.B = format.Load(head[first + 1]);
        if (first + 2 < HeadSize) result.C = format.Load(head[first + 2]);
        if (first + 3 < HeadSize) result.D = format.Load(head[first + 3]);
        return result;
    }
}
