using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.KvCache;
using ILGPU;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>Stores new keys and values in the pages of their tokens: see <see cref="AppendKv"/>. A group a row and piece of it.</summary>
internal static class AppendKvKernels
{
    /// <summary>Values of a row that one group copies: a few a thread, and several groups for the only row of a decode step.</summary>
    private const int ValuesPerGroup = 1024;

    public static GpuKernel<Arguments<float>> F32 { get; } = new("AppendKv.f32", Rows<float, GpuF32>);

    public static GpuKernel<Arguments<ushort>> F16 { get; } = new("AppendKv.f16", Rows<ushort, GpuF16>);

    public static IReadOnlyList<GpuKernel> All { get; } = [F32, F16];

    /// <summary>The entries of the catalog.</summary>
    public static IReadOnlyList<GpuOperation> Operations { get; } = [Operation("AppendKv.f32", false), Operation("AppendKv.f16", true)];

    /// <summary>Stores the rows.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="cache">The cache; the pages of all positions exist.</param>
    /// <param name="keys">New keys [rows, heads · key size].</param>
    /// <param name="values">New values [rows, heads · value size].</param>
    /// <param name="sequences">Sequence of each row.</param>
    /// <param name="positions">Position of each row in its sequence.</param>
    /// <param name="rows">Number of rows.</param>
    public static void Launch(GpuLauncher launcher, in GpuPagedCache cache, ArrayView<float> keys, ArrayView<float> values, ArrayView<int> sequences, ArrayView<int> positions, int rows)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.Require("AppendKv", "keys", keys, (long)rows * cache.Heads * cache.KeySize);
        LaunchArguments.Require("AppendKv", "values", values, (long)rows * cache.Heads * cache.ValueSize);
        LaunchArguments.Require("AppendKv", "sequences", sequences, rows);
        LaunchArguments.Require("AppendKv", "positions", positions, rows);
        if (cache.IsHalf) Launch(launcher, F16, cache, keys, values, sequences, positions, rows);
        else Launch(launcher, F32, cache, keys, values, sequences, positions, rows);
    }

    internal static void Rows<TElement, TFormat>(Arguments<TElement> a)
        where TElement : unmanaged
        where TFormat : struct, IGpuFloat<TElement>
    {
        TFormat format = default;
        int row = Grid.IdxX;
        int position = a.Positions[row];
        int page = a.PageTable[((long)a.Sequences[row] * a.PagesPerSequence) + (position / PagedCache.PageLength)];
        int token = position % PagedCache.PageLength;
        int from = Grid.IdxY * ValuesPerGroup;

        int keyLength = a.Heads * a.KeySize;
        var keys = a.Keys.SubView((long)row * keyLength, keyLength);
        var keyPage = a.KeyPages.SubView((long)page * PagedCache.PageLength * keyLength, (long)PagedCache.PageLength * keyLength);
        int end = IntrinsicMath.Min(keyLength, from + ValuesPerGroup);
        for (int i = from + Group.IdxX; i < end; i += Group.DimX) keyPage[Place(i, a.KeySize, token)] = format.Store(keys[i]);

        int valueLength = a.Heads * a.ValueSize;
        var values = a.Values.SubView((long)row * valueLength, valueLength);
        var valuePage = a.ValuePages.SubView((long)page * PagedCache.PageLength * valueLength, (long)PagedCache.PageLength * valueLength);
        end = IntrinsicMath.Min(valueLength, from + ValuesPerGroup);
        for (int i = from + Group.IdxX; i < end; i += Group.DimX) valuePage[Place(i, a.ValueSize, token)] = format.Store(values[i]);
    }

    /// <summary>Where value <paramref name="index"/> of a row goes in a page, [heads, <see cref="PagedCache.PageLength"/>, size].</summary>
    private static int Place(int index, int size, int token)
    {
        int head = index / size;
        return (((head * PagedCache.PageLength) + token) * size) + index - (head * size);
    }

    private static void Launch<TElement>(
        GpuLauncher launcher, GpuKernel<Arguments<TElement>> kernel, in GpuPagedCache cache, ArrayView<float> keys, ArrayView<float> values, ArrayView<int> sequences, ArrayView<int> positions, int rows)
        where TElement : unmanaged
    {
        int longest = cache.Heads * Math.Max(cache.KeySize, cache.ValueSize);
        launcher.Launch(kernel, new Index3D(rows, (longest + ValuesPerGroup - 1) / ValuesPerGroup, 1), launcher.GroupSize(GpuLauncher.MaxGroupSize), new Arguments<TElement>
        {
            Keys = keys,
            Values = values,
            KeyPages = cache.Keys.Cast<TElement>(),
            ValuePages = cache.Values.Cast<TElement>(),
            PageTable = cache.PageTable,
            Sequences = sequences,
            Positions = positions,
            PagesPerSequence = cache.PagesPerSequence,
            Heads = cache.Heads,
            KeySize = cache.KeySize,
            ValueSize = cache.ValueSize,
        });
    }

    private static GpuOperation Operation(string name, bool half) => new(name, (launcher, b) =>
    {
        const int heads = 2;
        int pages = (int)b.Ints("pages").Length;
        const int sequences = 2;
        var cache = new GpuPagedCache
        {
            Keys = b.Bytes("keys"),
            Values = b.Bytes("values"),
            PageTable = b.Ints("pages"),
            PagesPerSequence = pages / sequences,
            Heads = heads,
            KeySize = b.Shape["keySize"],
            ValueSize = b.Shape["valueSize"],
            IsHalf = half,
        };
        Launch(launcher, cache, b.Floats("newKeys"), b.Floats("newValues"), b.Ints("sequences"), b.Ints("positions"), b.Shape["rows"]);
    });

    internal struct Arguments<TElement>
        where TElement : unmanaged
    {
        public ArrayView<float> Keys;
        public ArrayView<float> Values;
        public ArrayView<TElement> KeyPages;
        public ArrayView<TElement> ValuePages;
        public ArrayView<int> PageTable;
        public ArrayView<int> Sequences;
        public ArrayView<int> Positions;
        public int PagesPerSequence;
        public int Heads;
        public int KeySize;
        public int ValueSize;
    }
}
