using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Dequantize;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// Decodes neighboring tokens of one head into floats, eight channels at a time. Rows of the result are <see cref="QuantizedPageLayout.Channels"/>
/// floats long; what lies behind the head's values is undefined.
/// </summary>
internal static unsafe class QuantizedRows
{
    /// <summary>Decodes keys or values; tokens in the tail are copied.</summary>
    /// <param name="side">The keys or the values.</param>
    /// <param name="sequence">Sequence of the tokens.</param>
    /// <param name="position">The first token.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="count">Tokens, all of one page.</param>
    /// <param name="rows">Receives the decoded tokens.</param>
    public static void Decode(in QuantizedSide side, int sequence, int position, int head, int count, float* rows)
    {
        var layout = side.Layout;
        byte* page = side.Head(sequence, position, head);
        int end = position + count;
        int packed = Math.Max(0, Math.Min(end, side.PackedEnd(sequence)) - position);
        if (layout.ChannelScales != 0) Channels(layout, (uint*)page, position, packed, rows);
        else Tokens(layout, page, position, packed, rows);
        rows += (long)packed * layout.Channels;
        for (position += packed; position < end; position++, rows += layout.Channels)
            new ReadOnlySpan<float>(side.Tail(sequence, position, head), layout.Size).CopyTo(new Span<float>(rows, layout.Size));
    }

    private static void Channels(in QuantizedPageLayout layout, uint* words, int position, int count, float* rows)
    {
        for (int end = position + count; position < end; position++, rows += layout.Channels) Token(layout, words, position, rows);
    }

    private static void Tokens(in QuantizedPageLayout layout, byte* page, int position, int count, float* rows)
    {
        int token = position % PagedCache.PageLength;
        for (int end = token + count; token < end; token++, rows += layout.Channels)
        {
            if (layout.Bits == 16)
            {
                HalfPrecision.DecodeF16(new ReadOnlySpan<ushort>((ushort*)page + (token * layout.Size), layout.Size), new Span<float>(rows, layout.Size));
                continue;
            }

            byte* codes = page + (token * layout.RowWords * sizeof(uint));
            uint* parameters = (uint*)page + layout.ParameterWord + (token * layout.Groups);
            for (int group = 0; group < layout.Groups; group++)
            {
                var scale = Vector256.Create(HalfPrecision.DecodeF16((ushort)parameters[group]));
                var minimum = Vector256.Create(HalfPrecision.DecodeF16((ushort)(parameters[group] >> 16)));
                int start = group << layout.GroupShift;
                int end8 = Math.Min(layout.Size, start + layout.Group);
                for (int channel = start; channel < end8; channel += Vector256<float>.Count)
                    ((Vector256.ConvertToSingle(Eight(codes, channel, layout.Bits)) * scale) + minimum).Store(rows + channel);
            }
        }
    }

    /// <summary>Eight codes of a token, from a multiple of eight on; the padding of rows and the parameters behind them make the reads safe.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Eight(byte* codes, int channel, int bits)
    {
        if (bits == 8) return Vector256.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(codes + channel)).AsByte()).ToVector256Unsafe()).AsInt32();
        uint eight = bits == 4 ? *(uint*)(codes + (channel / 2)) : *(ushort*)(codes + (channel / 4));
        if (Avx2.IsSupported)
        {
            var shifts = bits == 4 ? Vector256.Create(0u, 4, 8, 12, 16, 20, 24, 28) : Vector256.Create(0u, 2, 4, 6, 8, 10, 12, 14);
            return Avx2.ShiftRightLogicalVariable(Vector256.Create(eight), shifts).AsInt32() & Vector256.Create((1 << bits) - 1);
        }

        int* each = stackalloc int[8];
        for (int i = 0; i < 8; i++) each[i] = (int)(eight >> (bits * i)) & ((1 << bits) - 1);
        return Vector256.Load(each);
    }

    private static void Token(in QuantizedPageLayout layout, uint* words, int position, float* row)
    {
        const int tokens = QuantizedPageLayout.TokensPerGroup;
        words += position % PagedCache.PageLength / tokens * layout.BlockWords;
        uint* parameters = words + (layout.Bits * layout.Channels);
        int bit = position % tokens * layout.Bits;
        words += bit / 32 * layout.Channels;
        var mask = Vector256.Create((1u << layout.Bits) - 1);
        for (int channel = 0; channel < layout.Channels; channel += Vector256<float>.Count)
        {
            var both = Vector256.Load(parameters + channel);
            var code = Vector256.ConvertToSingle(((Vector256.Load(words + channel) >> (bit % 32)) & mask).AsInt32());
            var scale = HalfPrecision.DecodeF16(both & Vector256.Create(0xFFFFu));
            ((code * scale) + HalfPrecision.DecodeF16(both >> 16)).Store(row + channel);
        }
    }
}
