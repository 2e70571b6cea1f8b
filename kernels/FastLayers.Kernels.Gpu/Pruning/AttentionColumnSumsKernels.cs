using FastLayers.Kernels.Gpu.Catalog;
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

    public static GpuKernel<Arguments> StatisticsKernel { get; } = new("AttentionColumnSums.Statistics", Statistics);

    public static GpuKernel<Arguments> HeadsKernel { get; } = new("AttentionColumnSums.Heads", Heads);

    public static GpuKernel<Arguments> SumKernel { get; } = new("AttentionColumnSums.Sum", Sum);

    public static IReadOnlyList<GpuKernel> All { get; } = [StatisticsKernel, HeadsKernel, SumKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
        [.. AttentionColumnSumsCase.ByMask.Select(entry => new GpuOperation(entry.Name, (launcher, b) => Start(launcher, Operands(b))))];

    /// <summary>Floats of scratch memory.</summary>
    public static int ScratchLength(in AttentionColumnShape shape) => checked((2 * shape.Rows * shape.Heads) + (shape.Heads * shape.Tokens));

    /// <summary>Computes the scores.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="query">Queries [rows, heads · size].</param>
    /// <param name="keys">Keys [tokens, key heads · size].</param>
    /// <param name="positions">Position of each row, below the number of tokens; empty where all rows see all keys.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats.</param>
    /// <param name="scores">Receives one score a token.</param>
    /// <exception cref="ArgumentException">A view is too short, heads do not share evenly, or there is no row.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> query, ArrayView<float> keys, ArrayView<int> positions, in AttentionColumnShape shape, ArrayView<float> scratch, ArrayView<float> scores)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        Start(launcher, Operands(query, keys, positions, shape, scratch, scores));
    }

    /// <summary>Starts all kernels.</summary>
    internal static void Start(GpuLauncher launcher, in Arguments arguments)
    {
        StartStatistics(launcher, StatisticsKernel, arguments);
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
        launcher.Launch(HeadsKernel, new Index3D((arguments.Tokens + size - 1) / size, arguments.Heads, 1), size, arguments);
    }

    /// <summary>Starts the third kernel.</summary>
    internal static void StartSum(GpuLauncher launcher, in Arguments arguments) => launcher.LaunchThreads(SumKernel, arguments.Tokens, arguments);

    /// <summary>What all kernels get, checked.</summary>
    internal static Arguments Operands(
        ArrayView<float> query, ArrayView<float> keys, ArrayView<int> positions, in AttentionColumnShape shape, ArrayView<float> scratch, ArrayView<float> scores)
    {
        shape.Check();
        LaunchArguments.Require(Name, nameof(query), query, (long)shape.Rows * shape.Heads * shape.Size);
        LaunchArguments.Require(Name, nameof(keys), keys, (long)shape.Tokens * shape.KeyHeads * shape.Size);
        LaunchArguments.RequireOrEmpty(Name, nameof(positions), positions, shape.Rows);
        LaunchArguments.Require(Name, nameof(scratch), scratch, ScratchLength(shape));
        LaunchArguments.Require(Name, nameof(scores), scores, shape.Tokens);
        int statistics = 2 * shape.Rows * shape.Heads;
        return new()
        {
            Query = query,
            Keys = keys,
            Positions = positions,
            HasPositions = positions.Length > 0 ? 1 : 0,
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

    internal static void Statistics(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        int row = Grid.IdxX * RowsAtOnce;
        int head = Grid.IdxY;
        int end0 = KeyEnd(a, row), end1 = KeyEnd(a, row + 1), end2 = KeyEnd(a, row + 2), end3 = KeyEnd(a, row + 3);
        int end = Math.Max(Math.Max(end0, end1), Math.Max(end2, end3));
        float max0 = float.MinValue, max1 = float.MinValue, max2 = float.MinValue, max3 = float.MinValue;
        float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        for (int key = Group.IdxX; key < end; key += Group.DimX)
        {
            var products = Products(a, row, head, key);
            sum0 = Next(sum0, max0, products.X, key < end0);
            max0 = Larger(max0, products.X, key < end0);
            sum1 = Next(sum1, max1, products.Y, key < end1);
            max1 = Larger(max1, products.Y, key < end1);
            sum2 = Next(sum2, max2, products.Z, key < end2);
            max2 = Larger(max2, products.Z, key < end2);
            sum3 = Next(sum3, max3, products.W, key < end3);
            max3 = Larger(max3, products.W, key < end3);
        }

        Store(a, shared, row, head, max0, sum0);
        Store(a, shared, row + 1, head, max1, sum1);
        Store(a, shared, row + 2, head, max2, sum2);
        Store(a, shared, row + 3, head, max3, sum3);
    }

    internal static void Heads(Arguments a)
    {
        int key = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int head = Grid.IdxY;
        if (key >= a.Tokens) return;
        float sum = 0;
        for (int row = 0; row < a.Rows; row += RowsAtOnce)
        {
            var products = Products(a, row, head, key);
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

    /// <summary>Keys that a row sees; none for rows behind the last.</summary>
    internal static int KeyEnd(Arguments a, int row)
    {
        if (row >= a.Rows) return 0;
        return a.HasPositions != 0 ? Math.Min(a.Positions[row] + 1, a.Tokens) : a.Tokens;
    }

    /// <summary>Scaled products of a key with four rows; behind the last row, those of the last row again.</summary>
    internal static Float4 Products(Arguments a, int row, int head, int key)
    {
        var k = a.Keys.SubView(((long)key * a.KeyHeads * a.Size) + (head / a.HeadsPerKeyHead * a.Size), a.Size);
        var q0 = QueryOf(a, row, head);
        var q1 = QueryOf(a, row + 1, head);
        var q2 = QueryOf(a, row + 2, head);
        var q3 = QueryOf(a, row + 3, head);
        float sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        for (int d = 0; d < a.Size; d++)
        {
            float value = k[d];
            sum0 += value * q0[d];
            sum1 += value * q1[d];
            sum2 += value * q2[d];
            sum3 += value * q3[d];
        }

        return new Float4 { X = sum0 * a.Scale, Y = sum1 * a.Scale, Z = sum2 * a.Scale, W = sum3 * a.Scale };
    }

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
        if (key >= KeyEnd(a, row)) return 0;
        long place = 2 * (((long)row * a.Heads) + head);
        return MathF.Exp(product - a.Statistics[place]) * a.Statistics[place + 1];
    }

    internal struct Arguments
    {
        public ArrayView<float> Query;
        public ArrayView<float> Keys;
        public ArrayView<int> Positions;
        public ArrayView<float> Statistics;
        public ArrayView<float> Parts;
        public ArrayView<float> Scores;
        public int HasPositions;
        public int Rows;
        public int Tokens;
        public int Heads;
        public int KeyHeads;
        public int HeadsPerKeyHead;
        public int Size;
        public float Scale;
        public float Factor;
    }
}
