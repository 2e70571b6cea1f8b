using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Keys or values with scales per token: see <see cref="QuantizedPageLayout"/>. A row is the first word of the head in its page, or lies in the tail.</summary>
internal struct GpuTokenSide : IGpuCacheSide
{
    public ArrayView<int> Words;
    public GpuTail Tail;
    public int Heads;
    public int HeadSize;
    public int HeadWords;
    public int RowWords;
    public int ParameterWord;
    public int Groups;
    public int GroupShift;
    public int Bits;

    public readonly int Size => HeadSize;

    public readonly long Row(int sequence, int page, int position, int head) =>
        Tail.Holds(sequence, position) ? Tail.Row(sequence, position, head) : (((long)page * Heads) + head) * HeadWords;

    public readonly Four<float> Load(long row, int position, int first)
    {
        if (row < 0) return Tail.Load(row, first);
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

/// <summary>Keys with scales per channel: see <see cref="QuantizedPageLayout"/>. A row is the first word of the block of 32 tokens, or lies in the tail.</summary>
internal struct GpuChannelSide : IGpuCacheSide
{
    public ArrayView<Four<int>> Words;
    public GpuTail Tail;
    public int Heads;
    public int HeadSize;
    public int HeadWords;
    public int Channels;
    public int Bits;

    public readonly int Size => HeadSize;

    public readonly long Row(int sequence, int page, int position, int head) => Tail.Holds(sequence, position)
        ? Tail.Row(sequence, position, head)
        : ((((long)page * Heads) + head) * HeadWords) + (position % PagedCache.PageLength / QuantizedPageLayout.TokensPerGroup * (Bits + 1) * Channels);

    public readonly Four<float> Load(long row, int position, int first)
    {
        if (row < 0) return Tail.Load(row, first);
        Four<float> result = default;
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
