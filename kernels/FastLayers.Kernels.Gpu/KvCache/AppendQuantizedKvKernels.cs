using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Quantizes and stores new keys and values: see <see cref="AppendQuantizedKv"/>. A group a row and head.</summary>
internal static class AppendQuantizedKvKernels
{
    private const int PreferredGroupSize = 128;
    private const int HalfBits = 16;

    public static GpuKernel<QuantizeRows> Tokens { get; } = new("AppendQuantizedKv.Token", QuantizeRowsKernels.Tokens);

    public static GpuKernel<QuantizeRows> Halves { get; } = new("AppendQuantizedKv.Half", QuantizeRowsKernels.Halves);

    public static GpuKernel<QuantizeRows> Channels { get; } = new("AppendQuantizedKv.Channel", QuantizeRowsKernels.Channels);

    public static GpuKernel<QuantizeRows> Tail { get; } = new("AppendQuantizedKv.Tail", QuantizeRowsKernels.Tail);

    public static IReadOnlyList<GpuKernel> All { get; } = [Tokens, Halves, Channels, Tail];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        .. from bits in (int[])[2, 4, 8, 16] select Operation($"AppendQuantizedKv.Token{bits}", new(bits, bits, false)),
        .. from bits in (int[])[2, 4, 8] select Operation($"AppendQuantizedKv.Kivi{bits}", new(bits, bits, true)),
    ];

    /// <summary>Stores the rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="cache">The cache; the pages of all positions exist. The lengths are not read.</param>
    /// <param name="keys">New keys [rows, heads · key size].</param>
    /// <param name="values">New values [rows, heads · value size].</param>
    /// <param name="sequences">Sequence of each row.</param>
    /// <param name="positions">Position of each row in its sequence; those of a sequence ascend without gaps.</param>
    /// <param name="rows">Number of rows.</param>
    public static void Launch(GpuLauncher launcher, in GpuQuantizedCache cache, ArrayView<float> keys, ArrayView<float> values, ArrayView<int> sequences, ArrayView<int> positions, int rows)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.Require("AppendQuantizedKv", "keys", keys, (long)rows * cache.Heads * cache.KeyLayout.Size);
        LaunchArguments.Require("AppendQuantizedKv", "values", values, (long)rows * cache.Heads * cache.ValueLayout.Size);
        LaunchArguments.Require("AppendQuantizedKv", "sequences", sequences, rows);
        LaunchArguments.Require("AppendQuantizedKv", "positions", positions, rows);
        if (cache.KeyLayout.Heads != cache.ValueLayout.Heads)
            throw new ArgumentException($"AppendQuantizedKv: keys have {cache.KeyLayout.Heads} heads, values {cache.ValueLayout.Heads}.", nameof(cache));
        if (cache.ValueLayout.ChannelScales != 0) throw new ArgumentException("AppendQuantizedKv: scales per channel are for keys only.", nameof(cache));

        var arguments = new QuantizeRows { PageTable = cache.PageTable, Sequences = sequences, Positions = positions, PagesPerSequence = cache.PagesPerSequence, Rows = rows };
        Launch(launcher, "tail of the keys", arguments with { Source = keys, Words = cache.Keys.Cast<int>(), Halves = cache.Keys.Cast<ushort>(), Tail = cache.KeyTail, Layout = cache.KeyLayout });
        Launch(launcher, "tail of the values", arguments with { Source = values, Words = cache.Values.Cast<int>(), Halves = cache.Values.Cast<ushort>(), Tail = cache.ValueTail, Layout = cache.ValueLayout });
    }

    private static void Launch(GpuLauncher launcher, string tail, QuantizeRows side)
    {
        int groupSize = launcher.GroupSize(PreferredGroupSize);
        var groups = new Index3D(side.Rows, side.Layout.Heads, 1);
        LaunchArguments.Require("AppendQuantizedKv", tail, side.Tail, side.Layout.TailLength);
        if (side.Layout.TailTokens == 0) side.Tail = side.Source; // not read: a kernel takes no empty view
        launcher.Launch(side.Layout.Bits == HalfBits ? Halves : side.Layout.ChannelScales != 0 ? Channels : Tokens, groups, groupSize, side);

        // Full groups first: they read tokens of earlier calls in the tail, which later ones replace.
        if (side.Layout.TailTokens != 0) launcher.Launch(Tail, groups, groupSize, side);
    }

    /// <summary>The cache of a catalog entry.</summary>
    internal static GpuQuantizedCache Cache(GpuBuffers b, QuantizedCacheCase.Kind kind) => new()
    {
        Keys = b.Bytes("keys"),
        Values = b.Bytes("values"),
        KeyLayout = kind.Keys(b.Shape),
        ValueLayout = kind.Values(b.Shape),
        PageTable = b.Ints("pages"),
        PagesPerSequence = QuantizedCacheCase.Pages(b.Shape),
        KeyTail = b.Floats("keyTail"),
        ValueTail = b.Floats("valueTail"),
        Lengths = b.Ints("lengths"),
    };

    private static GpuOperation Operation(string name, QuantizedCacheCase.Kind kind) => new(name, (launcher, b) =>
    {
        int before = b.Shape["before"], rows = b.Shape["tokens"] - before, length = QuantizedCacheCase.Heads * b.Shape["size"];
        Launch(
            launcher, Cache(b, kind), b.Floats("newKeys").SubView(before * length, rows * length), b.Floats("newValues").SubView(before * length, rows * length),
            b.Ints("sequences").SubView(before, rows), b.Ints("positions").SubView(before, rows), rows);
    });
}

/// <summary>Rows of one side and where they go.</summary>
internal struct QuantizeRows
{
    public ArrayView<float> Source;
    public ArrayView<int> Words;
    public ArrayView<ushort> Halves;
    public ArrayView<float> Tail;
    public ArrayView<int> PageTable;
    public ArrayView<int> Sequences;
    public ArrayView<int> Positions;
    public QuantizedPageLayout Layout;
    public int PagesPerSequence;
    public int Rows;
}
