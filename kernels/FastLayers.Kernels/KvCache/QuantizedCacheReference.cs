namespace FastLayers.Kernels.KvCache;

/// <summary>
/// The definition of a quantized cache. A group of values x with smallest value lo and largest hi is stored with b bits as
/// <c>minimum = half(lo)</c>, <c>scale = half((hi - lo) · (1 / (2ᵇ - 1)))</c>, difference, reciprocal and product in float32 (a minimum of -0 becomes 0), and codes
/// <c>round(t / scale)</c> with <c>t = float32(x - minimum)</c>, ties to even, cut to [0, 2ᵇ - 1]: codes belong to the parameters as they are
/// stored. The decoded value is <c>minimum + scale · code</c>. If scale is 0, as for equal values, all codes are 0 and all
/// values decode to the minimum. A group with a value that is not finite, or with parameters beyond the range of halves (±65,504), has
/// minimum NaN, scale 0 and codes 0: all its values decode to NaN, so that the damage shows.
/// </summary>
public static unsafe class QuantizedCacheReference
{
    private const ushort NaN = 0x7E00;

    /// <summary>Quantizes a group.</summary>
    /// <param name="values">The values.</param>
    /// <param name="bits">2, 4 or 8.</param>
    /// <param name="codes">Receives a code for each value.</param>
    /// <returns>The parameter word: scale in the lower, minimum in the upper half.</returns>
    public static uint Quantize(ReadOnlySpan<float> values, int bits, Span<int> codes)
    {
        codes.Clear();
        int levels = (1 << bits) - 1;
        float lo = values[0], hi = values[0];
        foreach (float x in values)
        {
            if (!float.IsFinite(x)) return (uint)NaN << 16;
            lo = Math.Min(lo, x);
            hi = Math.Max(hi, x);
        }

        var minimum = (Half)(lo == 0 ? 0f : lo); // not -0
        var scale = (Half)((hi - lo) * (1f / levels));
        if (!Half.IsFinite(minimum) || !Half.IsFinite(scale)) return (uint)NaN << 16;
        for (int i = 0; i < values.Length && scale != (Half)0f; i++)
            codes[i] = (int)Math.Clamp(Math.Round((double)(values[i] - (float)minimum) / (double)scale, MidpointRounding.ToEven), 0, levels);
        return BitConverter.HalfToUInt16Bits(scale) | ((uint)BitConverter.HalfToUInt16Bits(minimum) << 16);
    }

    /// <summary>Stores new keys and values, one row after another; the arguments are those of <see cref="AppendQuantizedKv.Append"/>.</summary>
    public static void Append(in QuantizedCache cache, float* keys, float* values, int* sequences, int* positions, int rows)
    {
        int keySize = cache.KeyLayout.Size, valueSize = cache.ValueLayout.Size;
        for (int row = 0; row < rows; row++)
        {
            for (int head = 0; head < cache.Heads; head++)
            {
                long index = ((long)row * cache.Heads) + head;
                Store(cache.KeySide, sequences[row], positions[row], head, new(keys + (index * keySize), keySize));
                Store(cache.ValueSide, sequences[row], positions[row], head, new(values + (index * valueSize), valueSize));
            }
        }
    }

    /// <summary>One value of a key, decoded.</summary>
    public static float Key(in QuantizedCache cache, int sequence, int position, int head, int channel) => Decode(cache.KeySide, sequence, position, head, channel);

    /// <summary>One value of a value, decoded.</summary>
    public static float Value(in QuantizedCache cache, int sequence, int position, int head, int channel) => Decode(cache.ValueSide, sequence, position, head, channel);

    private static void Store(in QuantizedSide side, int sequence, int position, int head, ReadOnlySpan<float> values)
    {
        const int tokens = QuantizedPageLayout.TokensPerGroup;
        if (!side.HasTail)
        {
            StoreToken(side.Layout, side.Head(sequence, position, head), position, values);
            return;
        }

        values.CopyTo(new Span<float>(side.Tail(sequence, position, head), values.Length));
        if (!QuantizedSide.CompletesGroup(position)) return;
        int first = position - tokens + 1;
        if (side.Layout.ChannelScales != 0)
        {
            PackChannels(side.Layout, side.Tail(sequence, first, head), side.Block(sequence, first, head));
            return;
        }

        for (int token = first; token <= position; token++)
            StoreToken(side.Layout, side.Head(sequence, token, head), token, new(side.Tail(sequence, token, head), values.Length));
    }

    private static float Decode(in QuantizedSide side, int sequence, int position, int head, int channel) =>
        position < side.PackedEnd(sequence) ? Decode(side.Layout, side.Head(sequence, position, head), position, channel) : side.Tail(sequence, position, head)[channel];

    private static float Decode(in QuantizedPageLayout layout, byte* page, int position, int channel)
    {
        int token = position % PagedCache.PageLength;
        if (layout.Bits == 16) return (float)((Half*)page)[(token * layout.Size) + channel];
        var words = (uint*)page;
        uint code, parameters;
        if (layout.ChannelScales != 0)
        {
            words += token / QuantizedPageLayout.TokensPerGroup * layout.BlockWords;
            int bit = token % QuantizedPageLayout.TokensPerGroup * layout.Bits;
            code = words[(bit / 32 * layout.Channels) + channel] >> (bit % 32);
            parameters = words[(layout.Bits * layout.Channels) + channel];
        }
        else
        {
            int bit = channel * layout.Bits;
            code = words[(token * layout.RowWords) + (bit / 32)] >> (bit % 32);
            parameters = words[layout.ParameterWord + (token * layout.Groups) + (channel / layout.Group)];
        }

        int level = (int)(code & ((1u << layout.Bits) - 1));
        return (float)BitConverter.UInt16BitsToHalf((ushort)(parameters >> 16)) + ((float)BitConverter.UInt16BitsToHalf((ushort)parameters) * level);
    }

    private static void StoreToken(in QuantizedPageLayout layout, byte* page, int position, ReadOnlySpan<float> values)
    {
        int token = position % PagedCache.PageLength;
        if (layout.Bits == 16)
        {
            for (int i = 0; i < values.Length; i++) ((Half*)page)[(token * layout.Size) + i] = (Half)values[i];
            return;
        }

        var words = new Span<uint>((uint*)page + (token * layout.RowWords), layout.RowWords);
        words.Clear();
        var codes = new int[layout.Size];
        for (int group = 0; group < layout.Groups; group++)
        {
            int start = group * layout.Group;
            int count = Math.Min(layout.Size - start, layout.Group);
            ((uint*)page)[layout.ParameterWord + (token * layout.Groups) + group] = Quantize(values.Slice(start, count), layout.Bits, codes.AsSpan(start, count));
        }

        for (int i = 0; i < codes.Length; i++) words[i * layout.Bits / 32] |= (uint)codes[i] << (i * layout.Bits % 32);
    }

    private static void PackChannels(in QuantizedPageLayout layout, float* tail, uint* words)
    {
        const int tokens = QuantizedPageLayout.TokensPerGroup;
        var values = new float[tokens];
        var codes = new int[tokens];
        for (int channel = 0; channel < layout.Size; channel++)
        {
            for (int token = 0; token < tokens; token++) values[token] = tail[(token * layout.Size) + channel];
            words[(layout.Bits * layout.Channels) + channel] = Quantize(values, layout.Bits, codes);
            for (int word = 0; word < layout.Bits; word++) words[(word * layout.Channels) + channel] = 0;
            for (int token = 0; token < tokens; token++) words[(token * layout.Bits / 32 * layout.Channels) + channel] |= (uint)codes[token] << (token * layout.Bits % 32);
        }
    }
}
