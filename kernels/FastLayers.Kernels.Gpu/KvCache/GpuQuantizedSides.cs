using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Keys or values with scales per token: see <see cref="QuantizedPageLayout"/>. A row is the first word of the head in its page.</summary>
internal struct GpuTokenSide : IGpuCacheSide
{
    public ArrayView<int> Words;
    public int Heads;
    public int HeadSize;
    public int HeadWords;
    public int RowWords;
    public int ParameterWord;
    public int Groups;
    public int GroupShift;
    public int Bits;

    public readonly int Size => HeadSize;

    public readonly long Row(int sequence, int page, int position, int head) => (((long)page * Heads) + head) * HeadWords;

    public readonly Four<float> Load(long row, int position, int first)
    {
        var words = Words.SubView(row, HeadWords);
        int token = position % PagedCache.PageLength;
        int bit = first * Bits;
        int codes = words[(token * RowWords) + (bit >> 5)] >> (bit & 31);
        int parameters = words[ParameterWord + (token * Groups) + (first >> GroupShift)];
        float scale = QuantizedWord.Scale(parameters);
        float minimum = QuantizedWord.Minimum(parameters);
        int mask = (1 << Bits) - 1;
        return new Four<float>
        {
            A = minimum + (scale * (codes & mask)),
            B = minimum + (scale * ((codes >> Bits) & mask)),
            C = minimum + (scale * ((codes >> (2 * Bits)) & mask)),
            D = minimum + (scale * ((codes >> (3 * Bits)) & mask)),
        };
    }
}

/// <summary>
/// Keys with scales per channel: see <see cref="QuantizedPageLayout"/>. A row is the first word of the block of 32 tokens or, where the key lies
/// in the tail, the complement of its first float there.
/// </summary>
internal struct GpuChannelSide : IGpuCacheSide
{
    public ArrayView<Four<int>> Words;
    public ArrayView<float> Tail;
    public ArrayView<int> Lengths;
    public int Heads;
    public int HeadSize;
    public int HeadWords;
    public int Channels;
    public int Bits;

    public readonly int Size => HeadSize;

    public readonly long Row(int sequence, int page, int position, int head)
    {
        const int tokens = QuantizedPageLayout.TokensPerGroup;
        int packedEnd = Lengths[sequence] / tokens * tokens;
        if (position >= packedEnd) return ~((((((long)sequence * Heads) + head) * tokens) + (position % tokens)) * HeadSize);
        return ((((long)page * Heads) + head) * HeadWords) + (position % PagedCache.PageLength / tokens * (Bits + 1) * Channels);
    }

    public readonly Four<float> Load(long row, int position, int first)
    {
        Four<float> result = default;
        if (row < 0)
        {
            var tail = Tail.SubView(~row, HeadSize);
            result.A = tail[first];
            if (first + 1 < HeadSize) result.B = tail[first + 1];
            if (first + 2 < HeadSize) result.C = tail[first + 2];
            if (first + 3 < HeadSize) result.D = tail[first + 3];
            return result;
        }

        int bit = position % QuantizedPageLayout.TokensPerGroup * Bits;
        int shift = bit & 31;
        int mask = (1 << Bits) - 1;
        var codes = Words[(row + ((bit >> 5) * Channels) + first) >> 2];
        var parameters = Words[(row + (Bits * Channels) + first) >> 2];
        result.A = QuantizedWord.Minimum(parameters.A) + (QuantizedWord.Scale(parameters.A) * ((codes.A >> shift) & mask));
        result.B = QuantizedWord.Minimum(parameters.B) + (QuantizedWord.Scale(parameters.B) * ((codes.B >> shift) & mask));
        result.C = QuantizedWord.Minimum(parameters.C) + (QuantizedWord.Scale(parameters.C) * ((codes.C >> shift) & mask));
        result.D = QuantizedWord.Minimum(parameters.D) + (QuantizedWord.Scale(parameters.D) * ((codes.D >> shift) & mask));
        return result;
    }
}
