using FastLayers.Kernels.Gpu.Activation;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Formats;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.KvCache;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pruning;

/// <summary>
/// How much attention each token gets: see <see cref="AttentionColumnSums"/>. A group of the first kernel takes a head of four rows, and its
/// threads go through the keys with an online softmax each; a thread of the second one has a head of a key, computes its products with all
/// rows again and adds up their shares; the third adds up the heads. Every key that is read serves four rows.
/// </summary>
internal static class AttentionColumnSumsKernels
{
    /// <summary>Rows that a key is multiplied with at once.</summary>
    private const int RowsAtOnce = 4;

    private const int PreferredGroupSize = 128;

    private const string Name = "AttentionColumnSums";

    public static GpuKernel<Arguments> StatisticsKernel { get; } = new("AttentionColumnSums.Statistics", Statistics<float, FloatKeys>);

    public static GpuKernel<Arguments> HalfStatisticsKernel { get; } = new("AttentionColumnSums.Statistics.f16", Statistics<ushort, HalfKeys>);

    public static GpuKernel<Arguments> HeadsKernel { get; } = new("AttentionColumnSums.Heads", Heads<float, FloatKeys>);

    public static GpuKernel<Arguments> HalfHeadsKernel { get; } = new("AttentionColumnSums.Heads.f16", Heads<ushort, HalfKeys>);

    public static GpuKernel<Arguments> SumKernel { get; } = new("AttentionColumnSums.Sum", Sum);

    public static IReadOnlyList<GpuKernel> All { get; } = [StatisticsKernel, HalfStatisticsKernel, HeadsKernel, HalfHeadsKernel, SumKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        .. AttentionColumnSumsCase.ByMask.Select(entry => new GpuOperation(entry.Name, (launcher, b) => Start(launcher, Operands(b)))),
        Paged("AttentionColumnSums.Paged.f32", false, 0),
        Paged("AttentionColumnSums.Paged.f16", true, 0),
        Paged("AttentionColumnSums.Softcap", false, PagedColumnSumsCase.SoftCap),
    ];

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength(in AttentionColumnShape shape) => ScratchLength(shape.Rows, shape.Heads, shape.Tokens);

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength(int rows, int heads, int tokens) => checked((2 * rows * heads) + (heads * tokens));

    /// <summary>Computes the scores.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="query">Queries [rows, heads · size].</param>
    /// <param name="keys">Keys [tokens, key heads · size].</param>
    /// <param name="positions">Position of each row, below the number of tokens; empty where all rows see all keys.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="scratch"><see cref="ScratchLength(int, int, int)"/> floats.</param>
    /// <param name="scores">Receives one score a token.</param>
    /// <exception cref="ArgumentException">A view is too short, heads do not share evenly, or there is no row.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> query, ArrayView<float> keys, ArrayView<int> positions, in AttentionColumnShape shape, ArrayView<float> scratch, ArrayView<float> scores)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        Start(launcher, Operands(query, keys, positions, shape, scratch, scores));
    }

    /// <summary>Computes the scores of attention over a paged cache.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="cache">The keys.</param>
    /// <param name="rows">The rows; <see cref="GpuAttentionRows.Output"/> is not used.</param>
    /// <param name="sequence">The sequence of all rows.</param>
    /// <param name="tokens">Positions from 0 on that get a score; a row sees nothing behind.</param>
    /// <param name="scratch"><see cref="ScratchLength(int, int, int)"/> floats.</param>
    /// <param name="scores">Receives one score a token.</param>
    /// <exception cref="ArgumentException">A view is too short, heads do not share evenly, or there is no row.</exception>
    public static void Launch(
        GpuLauncher launcher, in GpuPagedCache cache, in GpuAttentionRows rows, int sequence, int tokens, ArrayView<float> scratch, ArrayView<float> scores)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        Start(launcher, Operands(cache, rows, sequence, tokens, scratch, scores));
    }

    /// <summary>Starts all kernels.</summary>
    internal static void Start(GpuLauncher launcher, in Arguments arguments)
    {
        StartStatistics(launcher, arguments.IsHalf != 0 ? HalfStatisticsKernel : StatisticsKernel, arguments);
        StartHeads(launcher, arguments);
        StartSum(launcher, arguments);
    }

    /// <summary>Starts the first kernel, or one that takes its place, with the grid that it expects.</summary>
    internal static void StartStatistics(GpuLauncher launcher, GpuKernel<Arguments> kernel, in Arguments arguments) =>
        launcher.Launch(kernel, new Index3D((arguments.Rows + RowsAtOnce - 1) / RowsAtOnce, arguments.Heads, 1), launcher.GroupSize(PreferredGroupSize), arguments);

    /// <summary>Starts the second kernel.</summary>
    internal static void StartHeads(GpuLauncher launcher, in Arguments arguments)
    {
        int size = launcher.GroupSize(PreferredGroupSize);
        launcher.Launch(arguments.IsHalf != 0 ? HalfHeadsKernel : HeadsKernel, new Index3D((arguments.Tokens + size - 1) / size, arguments.Heads, 1), size, arguments);
    }

    /// <summary>Starts the third kernel.</summary>
    internal static void StartSum(GpuLauncher launcher, in Arguments arguments) => launcher.LaunchThreads(SumKernel, arguments.Tokens, arguments);

    /// <summary>What all kernels get, checked.</summary>
    internal static Arguments Operands(
        ArrayView<float> query, ArrayView<float> keys, ArrayView<int> positions, in AttentionColumnShape shape, ArrayView<float> scratch, ArrayView<float> scores)
    {
        shape.Check();
        LaunchArguments.Require(Name, nameof(keys), keys, (long)shape.Tokens * shape.KeyHeads * shape.Size);
        LaunchArguments.RequireOrEmpty(Name, nameof(positions), positions, shape.Rows);
        return Operands(query, shape, scratch, scores) with
        {
            Keys = keys,
            End = positions,
            HasEnd = positions.Length > 0 ? 1 : 0,
            EndOffset = 1,
        };
    }

    /// <summary>What all kernels get over a paged cache, checked.</summary>
    internal static Arguments Operands(
        in GpuPagedCache cache, in GpuAttentionRows rows, int sequence, int tokens, ArrayView<float> scratch, ArrayView<float> scores)
    {
        var shape = new AttentionColumnShape { Rows = rows.Rows, Tokens = tokens, Heads = rows.Heads, KeyHeads = cache.Heads, Size = cache.KeySize, Scale = rows.Scale };
        shape.Check();
        int pages = (tokens + PagedCache.PageLength - 1) / PagedCache.PageLength;
        long firstPage = (long)sequence * cache.PagesPerSequence;
        LaunchArguments.RequireCount(Name, nameof(sequence), sequence);
        LaunchArguments.Require(Name, nameof(rows.End), rows.End, rows.Rows);
        LaunchArguments.RequireOrEmpty(Name, nameof(rows.First), rows.First, rows.Rows);
        if (pages > cache.PagesPerSequence) throw new ArgumentException($"{Name}: {tokens} tokens are {pages} pages, a sequence has {cache.PagesPerSequence}.", nameof(tokens));
        LaunchArguments.Require(Name, nameof(cache.PageTable), cache.PageTable, firstPage + pages);
        return Operands(rows.Query, shape, scratch, scores) with
        {
            Keys = cache.IsHalf ? default : cache.Keys.Cast<float>(),
            Halves = cache.IsHalf ? cache.Keys.Cast<ushort>() : default,
            IsHalf = cache.IsHalf ? 1 : 0,
            Pages = cache.PageTable.SubView(firstPage, pages),
            HasPages = 1,
            First = rows.First,
            HasFirst = rows.First.Length > 0 ? 1 : 0,
            End = rows.End,
            HasEnd = 1,
            SoftCap = rows.SoftCap,
        };
    }

    private static Arguments Operands(ArrayView<float> query, in AttentionColumnShape shape, ArrayView<float> scratch, ArrayView<float> scores)
    {
        LaunchArguments.Require(Name, nameof(query), query, (long)shape.Rows * shape.Heads * shape.Size);
        LaunchArguments.Require(Name, nameof(scratch), scratch, ScratchLength(shape));
        LaunchArguments.Require(Name, nameof(scores), scores, shape.Tokens);
        int statistics = 2 * shape.Rows * shape.Heads;
        return new()
        {
            Query = query,
            Statistics = scratch.SubView(0, statistics),
            Parts = scratch.SubView(statistics, shape.Heads * shape.Tokens),
            Scores = scores,
            Rows = shape.Rows,
            Tokens = shape.Tokens,
            Heads = shape.Heads,
            KeyHeads = shape.KeyHeads,
            HeadsPerKeyHead = shape.HeadsPerKeyHead,
            Size = shape.Size,
            Scale = shape.Scale,
            Factor = 1f / ((long)shape.Rows * shape.Heads),
        };
    }

    /// <summary>The buffers of a catalog entry, and scratch memory.</summary>
    internal static Arguments Operands(GpuBuffers b)
    {
        var shape = AttentionColumnSumsCase.ShapeOf(b.Shape);
        return Operands(b.Floats("query"), b.Floats("keys"), b.Ints("positions"), shape, b.Scratch<float>(ScratchLength(shape)), b.Floats("y"));
    }

    private static GpuOperation Paged(string name, bool half, float softCap) => new(name, (launcher, b) => Start(launcher, PagedOperands(b, half, softCap)));

    /// <summary>The buffers of a catalog entry over a paged cache, and scratch memory.</summary>
    internal static Arguments PagedOperands(GpuBuffers b, bool half, float softCap)
    {
        int tokens = b.Shape["tokens"], heads = PagedColumnSumsCase.Heads(b.Shape), rows = b.Shape["rows"];
        var cache = new GpuPagedCache
        {
            Keys = b.Bytes("keys"),
            Values = default,
            PageTable = b.Ints("pages"),
            PagesPerSequence = (int)b.Ints("pages").Length,
            Heads = b.Shape["keyHeads"],
            KeySize = b.Shape["size"],
            ValueSize = 0,
            IsHalf = half,
        };
        var attending = new GpuAttentionRows
        {
            Query = b.Floats("query"),
            Output = default,
            Sequences = b.Ints("sequences"),
            First = b.Ints("first"),
            End = b.Ints("end"),
            Rows = rows,
            Heads = heads,
            Scale = 1f / MathF.Sqrt(b.Shape["size"]),
            SoftCap = softCap,
        };
        return Operands(cache, attending, 0, tokens, b.Scratch<float>(ScratchLength(rows, heads, tokens)), b.Floats("y"));
    }

    internal static void Statistics<TElement, TKeys>(Arguments a)
        where TElement : unmanaged
        where TKeys : struct, IColumnKeys<TElement>
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int row = Grid.IdxX * RowsAtOnce;
        int head = Grid.IdxY;
        int start0 = KeyStart(a, row), start1 = KeyStart(a, row + 1), start2 = KeyStart(a, row + 2), start3 = KeyStart(a, row + 3);
        int start = Math.Min(Math.Min(start0, start1), Math.Min(start2, start3));
        int end0 = KeyEnd(a, row), end1 = KeyEnd(a, row + 1), end2 = KeyEnd(a, row + 2), end3 = KeyEnd(a, row + 3);
        int end = Math.Max(Math.Max(end0, end1), Math.Max(end2, end3));
        float max0 = float.MinValue, max1 = float.MinValue, max2 = float.MinValue, max3 = float.MinValue;
        float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        for (int key = start + Group.IdxX; key < end; key += Group.DimX)
        {
            var products = Products<TElement, TKeys>(a, row, head, key);
            sum0 = Next(sum0, max0, products.X, key >= start0 && key < end0);
            max0 = Larger(max0, products.X, key >= start0 && key < end0);
            sum1 = Next(sum1, max1, products.Y, key >= start1 && key < end1);
            max1 = Larger(max1, products.Y, key >= start1 && key < end1);
            sum2 = Next(sum2, max2, products.Z, key >= start2 && key < end2);
            max2 = Larger(max2, products.Z, key >= start2 && key < end2);
            sum3 = Next(sum3, max3, products.W, key >= start3 && key < end3);
            max3 = Larger(max3, products.W, key >= start3 && key < end3);
        }

        Store(a, shared, row, head, max0, sum0);
        Store(a, shared, row + 1, head, max1, sum1);
        Store(a, shared, row + 2, head, max2, sum2);
        Store(a, shared, row + 3, head, max3, sum3);
    }

    internal static void Heads<TElement, TKeys>(Arguments a)
        where TElement : unmanaged
        where TKeys : struct, IColumnKeys<TElement>
    {
        int key = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int head = Grid.IdxY;
        if (key >= a.Tokens) return;
        float sum = 0;
        for (int row = 0; row < a.Rows; row += RowsAtOnce)
        {
            var products = Products<TElement, TKeys>(a, row, head, key);
            float part = Share(a, row, head, key, products.X) + Share(a, row + 1, head, key, products.Y);
            sum += part + Share(a, row + 2, head, key, products.Z) + Share(a, row + 3, head, key, products.W);
        }

        a.Parts[((long)head * a.Tokens) + key] = sum;
    }

    internal static void Sum(Arguments a)
    {
        int key = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (key >= a.Tokens) return;
        float sum = 0;
        for (int head = 0; head < a.Heads; head++) sum += a.Parts[((long)head * a.Tokens) + key];
        a.Scores[key] = sum * a.Factor;
    }

    /// <summary>First key that a row sees; behind the last row, that of the last row again.</summary>
    internal static int KeyStart(Arguments a, int row) => a.HasFirst != 0 ? Math.Max(0, a.First[Math.Min(row, a.Rows - 1)]) : 0;

    /// <summary>One past the last key that a row sees; rows behind the last see none.</summary>
    internal static int KeyEnd(Arguments a, int row)
    {
        if (row >= a.Rows) return 0;
        return a.HasEnd != 0 ? Math.Min(a.End[row] + a.EndOffset, a.Tokens) : a.Tokens;
    }

    private static bool IsSeen(Arguments a, int row, int key) => key >= KeyStart(a, row) && key < KeyEnd(a, row);

    /// <summary>Scaled and capped products of a key with four rows; behind the last row, those of the last row again.</summary>
    internal static Float4 Products<TElement, TKeys>(Arguments a, int row, int head, int key)
        where TElement : unmanaged
        where TKeys : struct, IColumnKeys<TElement>
    {
        // What nobody sees may have no page.
        if (a.HasPages != 0 && !(IsSeen(a, row, key) || IsSeen(a, row + 1, key) || IsSeen(a, row + 2, key) || IsSeen(a, row + 3, key))) return default;
        TKeys keys = default;
        var k = keys.Elements(a).SubView(KeyRow(a, head / a.HeadsPerKeyHead, key) * a.Size, a.Size);
        var q0 = QueryOf(a, row, head);
        var q1 = QueryOf(a, row + 1, head);
        var q2 = QueryOf(a, row + 2, head);
        var q3 = QueryOf(a, row + 3, head);
        float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        for (int d = 0; d < a.Size; d++)
        {
            float value = keys.Load(k[d]);
            sum0 += value * q0[d];
            sum1 += value * q1[d];
            sum2 += value * q2[d];
            sum3 += value * q3[d];
        }

        return new Float4 { X = Capped(sum0 * a.Scale, a.SoftCap), Y = Capped(sum1 * a.Scale, a.SoftCap), Z = Capped(sum2 * a.Scale, a.SoftCap), W = Capped(sum3 * a.Scale, a.SoftCap) };
    }

    /// <summary>How many keys of a head lie before a key.</summary>
    private static long KeyRow(Arguments a, int keyHead, int key) => a.HasPages != 0
        ? ((((long)a.Pages[key / PagedCache.PageLength] * a.KeyHeads) + keyHead) * PagedCache.PageLength) + (key % PagedCache.PageLength)
        : ((long)key * a.KeyHeads) + keyHead;

    private static float Capped(float product, float cap) => cap > 0 ? cap * ElementaryFunctions.Tanh(product / cap) : product;

    private static ArrayView<float> QueryOf(Arguments a, int row, int head) =>
        a.Query.SubView((((long)Math.Min(row, a.Rows - 1) * a.Heads) + head) * a.Size, a.Size);

    private static float Next(float sum, float max, float product, bool isSeen)
    {
        float decay = MathF.Exp(-MathF.Abs(product - max));
        float next = product > max ? (sum * decay) + 1 : sum + decay;
        return isSeen ? next : sum;
    }

    private static float Larger(float max, float product, bool isSeen) => isSeen && product > max ? product : max;

    private static void Store(Arguments a, ArrayView<float> shared, int row, int head, float max, float sum)
    {
        float largest = GroupReduce.Max(shared, max);
        float total = GroupReduce.Sum(shared, sum * MathF.Exp(max - largest));
        if (row >= a.Rows || Group.IdxX != 0) return;
        long place = 2 * (((long)row * a.Heads) + head);
        a.Statistics[place] = largest;
        a.Statistics[place + 1] = 1 / total;
    }

    private static float Share(Arguments a, int row, int head, int key, float product)
    {
        if (!IsSeen(a, row, key)) return 0;
        long place = 2 * (((long)row * a.Heads) + head);
        return MathF.Exp(product - a.Statistics[place]) * a.Statistics[place + 1];
    }

    internal struct Arguments
    {
        public ArrayView<float> Query;

        /// <summary>Keys in single precision, one after the other or in pages.</summary>
        public ArrayView<float> Keys;

        /// <summary>Keys in half precision instead, in pages.</summary>
        public ArrayView<ushort> Halves;
        public ArrayView<int> Pages;
        public ArrayView<int> First;

        /// <summary>With <see cref="EndOffset"/> added, one past the last key that each row sees.</summary>
        public ArrayView<int> End;
        public ArrayView<float> Statistics;
        public ArrayView<float> Parts;
        public ArrayView<float> Scores;
        public int IsHalf;
        public int HasPages;
        public int HasFirst;
        public int HasEnd;
        public int EndOffset;
        public int Rows;
        public int Tokens;
        public int Heads;
        public int KeyHeads;
        public int HeadsPerKeyHead;
        public int Size;
        public float Scale;
        public float Factor;
        public float SoftCap;
    }

    /// <summary>The keys of <see cref="Arguments"/> in one precision.</summary>
    internal interface IColumnKeys<TElement>
        where TElement : unmanaged
    {
        /// <summary>All keys.</summary>
        ArrayView<TElement> Elements(Arguments a);

        /// <summary>The value of an element.</summary>
        float Load(TElement element);
    }

    internal readonly struct FloatKeys : IColumnKeys<float>
    {
        public ArrayView<float> Elements(Arguments a) => a.Keys;

        public float Load(float element) => element;
    }

    internal readonly struct HalfKeys : IColumnKeys<ushort>
    {
        public ArrayView<ushort> Elements(Arguments a) => a.Halves;

        public float Load(ushort element) => GpuF16.ToFloat(element);
    }
}
