using System.Numerics;

namespace FastLayers.Kernels.KvCache;

/// <summary>
/// How the keys or the values of a layer lie in the pages of a <see cref="QuantizedCache"/>, on every device. A page holds the
/// <see cref="PagedCache.PageLength"/> = 64 tokens of each head, head after head, <see cref="HeadBytes"/> each:
/// <list type="bullet">
/// <item>16 bits: [64 tokens, size] IEEE halves.</item>
/// <item>Per token: codes [64 tokens, <see cref="RowWords"/>] in 32-bit words, code k of a token at bit <c>bits · k</c>, then parameters
/// [64 tokens, <see cref="Groups"/>], for each group of <see cref="Group"/> neighboring channels.</item>
/// <item>Per channel: two blocks of 32 tokens, each with codes [bits, <see cref="Channels"/>] in 32-bit words, code of token k of a channel at
/// bit <c>bits · k</c> of the channel's words, then parameters [<see cref="Channels"/>].</item>
/// </list>
/// A parameter word holds two halves: the scale in its lower, the minimum in its upper 16 bits; a value is <c>minimum + scale · code</c>.
/// Words that stand for no channel are never written. With <see cref="TailTokens"/> a page holds whole groups of 32 tokens only: those of the
/// unfinished group lie as floats in the tail of the sequence, [heads, 32, size], that of position p at p mod 32, until the group is full.
/// </summary>
public readonly struct QuantizedPageLayout
{
    /// <summary>Tokens that share a scale where scales are per channel, and that are packed together where there is a tail.</summary>
    public const int TokensPerGroup = 32;

    /// <summary>Channels are padded to whole vectors.</summary>
    private const int ChannelAlignment = 8;

    /// <summary>Codes of the smallest group fill a word.</summary>
    private const int SmallestGroup = 16;

    private const int HeadAlignment = 16;
    private const int WordBits = 32;
    private const int HalfBits = 16;

    private QuantizedPageLayout(int heads, int size, int bits, int groupShift, bool perChannel, bool tail)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        if (bits is not (2 or 4 or 8 or HalfBits)) throw new ArgumentOutOfRangeException(nameof(bits), bits, "A cache has 2, 4, 8 or 16 bits a value.");
        Heads = heads;
        Size = size;
        Bits = bits;
        GroupShift = groupShift;
        ChannelScales = perChannel && bits < HalfBits ? 1 : 0;
        TailTokens = tail && bits < HalfBits ? TokensPerGroup : 0;
    }

    /// <summary>Number of key/value heads.</summary>
    public int Heads { get; }

    /// <summary>Values a head.</summary>
    public int Size { get; }

    /// <summary>Bits a value: 2, 4, 8, or 16 for halves.</summary>
    public int Bits { get; }

    /// <summary>Binary logarithm of <see cref="Group"/>; large where a group is the whole head.</summary>
    public int GroupShift { get; }

    /// <summary>1 where scales are per channel, over groups of tokens; 0 where they are per token. A number, since devices know no truth values.</summary>
    public int ChannelScales { get; }

    /// <summary>
    /// Tokens that the tail of a sequence has room for: <see cref="TokensPerGroup"/> where tokens are kept as floats until their group is full, 0 where each is
    /// packed at once. Always so with scales per channel, never with halves.
    /// </summary>
    public int TailTokens { get; }

    /// <summary>Floats of the tail of a sequence, [heads, <see cref="TailTokens"/>, size].</summary>
    public int TailLength => Heads * TailTokens * Size;

    /// <summary>Channels that share a scale where scales are per token.</summary>
    public int Group => 1 << GroupShift;

    /// <summary>Groups a head, where scales are per token; the last may be short.</summary>
    public int Groups => ((Size - 1) >> GroupShift) + 1;

    /// <summary>Words of the codes of a token and head, where scales are per token.</summary>
    public int RowWords => ((Size * Bits) + WordBits - 1) / WordBits;

    /// <summary>Channels of a head with padding, where scales are per channel.</summary>
    public int Channels => (Size + ChannelAlignment - 1) / ChannelAlignment * ChannelAlignment;

    /// <summary>Words of a block of 32 tokens with its parameters, where scales are per channel.</summary>
    public int BlockWords => (Bits + 1) * Channels;

    /// <summary>The word where the parameters of a head start, where scales are per token.</summary>
    public int ParameterWord => PagedCache.PageLength * RowWords;

    /// <summary>Bytes of a head of a page, a multiple of 16.</summary>
    public int HeadBytes
    {
        get
        {
            int bytes = Bits == HalfBits ? PagedCache.PageLength * Size * sizeof(ushort)
                : ChannelScales != 0 ? PagedCache.PageLength / TokensPerGroup * BlockWords * sizeof(uint)
                : PagedCache.PageLength * (RowWords + Groups) * sizeof(uint);
            return (bytes + HeadAlignment - 1) / HeadAlignment * HeadAlignment;
        }
    }

    /// <summary>Bytes of a page.</summary>
    public long PageBytes => (long)Heads * HeadBytes;

    /// <summary>Scales per token and group of channels.</summary>
    /// <param name="heads">Key/value heads.</param>
    /// <param name="size">Values a head.</param>
    /// <param name="bits">2, 4, 8, or 16 for halves.</param>
    /// <param name="group">Channels that share a scale: a power of two from 16 on, or 0 for the whole head.</param>
    /// <param name="tail">Whether tokens are kept as floats until their group of <see cref="TokensPerGroup"/> is full, as values beside keys with scales per channel are (KIVI).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is none of these.</exception>
    public static QuantizedPageLayout PerToken(int heads, int size, int bits, int group = 32, bool tail = false)
    {
        if (group != 0 && (group < SmallestGroup || !BitOperations.IsPow2(group)))
            throw new ArgumentOutOfRangeException(nameof(group), group, $"A group of channels is a power of two from {SmallestGroup} on, or 0 for the whole head.");
        return new(heads, size, bits, group == 0 || group >= size ? 30 : BitOperations.Log2((uint)group), false, tail);
    }

    /// <summary>Scales per channel and group of <see cref="TokensPerGroup"/> tokens; for keys only.</summary>
    /// <param name="heads">Key/value heads.</param>
    /// <param name="size">Values a head.</param>
    /// <param name="bits">2, 4, 8, or 16 for halves.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is none of these.</exception>
    public static QuantizedPageLayout PerChannel(int heads, int size, int bits) => new(heads, size, bits, 30, true, true);
}
