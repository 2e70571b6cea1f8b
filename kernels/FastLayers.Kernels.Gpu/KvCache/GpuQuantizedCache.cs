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

    /// <summary>The tails of the keys, [sequences, <see cref="QuantizedPageLayout.TailLength"/>]; empty where their layout has none.</summary>
    public ArrayView<float> KeyTail { get; init; }

    /// <summary>The tails of the values, [sequences, <see cref="QuantizedPageLayout.TailLength"/>]; empty where their layout has none.</summary>
    public ArrayView<float> ValueTail { get; init; }

    /// <summary>Tokens that each sequence holds; empty where no layout has a tail.</summary>
    public ArrayView<int> Lengths { get; init; }

    public int Heads => KeyLayout.Heads;

    public bool HasChannelKeys => KeyLayout.ChannelScales != 0;

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
            Tail = Tail(keys),
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
        Tail = Tail(keys: true),
        Heads = Heads,
        HeadSize = KeyLayout.Size,
        HeadWords = KeyLayout.HeadBytes / sizeof(int),
        Channels = KeyLayout.Channels,
        Bits = KeyLayout.Bits,
    };

    private GpuTail Tail(bool keys)
    {
        var layout = keys ? KeyLayout : ValueLayout;
        bool waits = layout.TailTokens != 0;
        return new()
        {
            // A kernel takes no empty view: without a tail these are not read.
            Rows = !waits ? (keys ? Keys : Values).Cast<float>() : keys ? KeyTail : ValueTail,
            Lengths = waits ? Lengths : PageTable,
            Heads = Heads,
            HeadSize = layout.Size,
            Tokens = layout.TailTokens,
        };
    }
}
