using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Tokens that wait as floats for their group to be full: see <see cref="QuantizedPageLayout.TailTokens"/>. A row is the complement of its first float here, a negative number.</summary>
internal struct GpuTail
{
    public ArrayView<float> Rows;
    public ArrayView<int> Lengths;
    public int Heads;
    public int HeadSize;

    /// <summary>Tokens of a sequence, or 0 where nothing waits.</summary>
    public int Tokens;

    /// <summary>Whether a token is in the tail.</summary>
    public readonly bool Holds(int sequence, int position) => Tokens != 0 && position >= Lengths[sequence] / QuantizedPageLayout.TokensPerGroup * QuantizedPageLayout.TokensPerGroup;

    /// <summary>The row of one head of a token in the tail.</summary>
    public readonly long Row(int sequence, int position, int head) =>
        ~((((((long)sequence * Heads) + head) * QuantizedPageLayout.TokensPerGroup) + (position % QuantizedPageLayout.TokensPerGroup)) * HeadSize);

    /// <summary>See <see cref="IGpuCacheSide.Load"/>.</summary>
    public readonly Four<float> Load(long row, int first)
    {
        var head = Rows.SubView(~row, HeadSize);
        Four<float> result = default;
        result.A = head[first];
        if (first + 1 < HeadSize) result.B = head[first + 1];
        if (first + 2 < HeadSize) result.C = head[first + 2];
        if (first + 3 < HeadSize) result.D = head[first + 3];
        return result;
    }
}
