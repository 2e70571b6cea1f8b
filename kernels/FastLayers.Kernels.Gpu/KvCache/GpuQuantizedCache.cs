using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>A <see cref="QuantizedCache"/> in the memory of a device.</summary>
internal readonly struct GpuQuantizedCache
{
    private const int HalfBits = 16;

    /// <summary>Keys, from page 0 on; aligned to 16 bytes.</summary>
    public required ArrayView<byte> Keys { get; init; }

    /// <summary>Values, from page 0 on; aligned to 16 bytes.</summary>
    public required ArrayView<byte> Values { get; init; }

    /// <summary>Layout of the keys.</summary>
    public required QuantizedPageLayout KeyLayout { get; init; }

    /// <summary>Layout of the values: per token.</summary>
    public required QuantizedPageLayout ValueLayout { get; init; }

    /// <summary>Page numbers, [sequences, <see cref="PagesPerSequence"/>].</summary>
    public required ArrayView<int> PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>The last keys of each sequence, [sequences, heads, 32, key size]; empty where scales are per token.</summary>
    public ArrayView<float> Tail { get; init; }

    /// <summary>Tokens that each sequence holds; empty where scales are per token.</summary>
    public ArrayView<int> Lengths { get; init; }

    public int Heads => KeyLayout.Heads;

    public bool HasTail => KeyLayout.ChannelScales != 0;

    public bool HasHalfKeys => KeyLayout.Bits == HalfBits;

    public bool HasHalfValues => ValueLayout.Bits == HalfBits;

    public GpuFloatSide<ushort, GpuF16> HalfSide(bool keys) => new()
    {
        Elements = (keys ? Keys : Values).Cast<ushort>(),
        Fours = (keys ? Keys : Values).Cast<Four<ushort>>(),
        Heads = Heads,
        HeadSize = (keys ? KeyLayout : ValueLayout).Size,
    };

    public GpuTokenSide TokenSide(bool keys)
    {
        var layout = keys ? KeyLayout : ValueLayout;
        return new()
        {
            Words = (keys ? Keys : Values).Cast<int>(),
            Heads = Heads,
            HeadSize = layout.Size,
            HeadWords = layout.HeadBytes / sizeof(int),
            RowWords = layout.RowWords,
            ParameterWord = layout.ParameterWord,
            Groups = layout.Groups,
            GroupShift = layout.GroupShift,
            Bits = layout.Bits,
        };
    }

    public GpuChannelSide ChannelSide() => new()
    {
        Words = Keys.Cast<Four<int>>(),
        Tail = Tail,
        Lengths = Lengths,
        Heads = Heads,
        HeadSize = KeyLayout.Size,
        HeadWords = KeyLayout.HeadBytes / sizeof(int),
        Channels = KeyLayout.Channels,
        Bits = KeyLayout.Bits,
    };
}
