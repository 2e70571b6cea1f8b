using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Selection;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Selection;

/// <summary>
/// The router of a mixture of experts, one group a token: see <see cref="ExpertRouting"/>. The rank of an expert is the number of those that
/// come before it; few enough experts make counting cheaper than sorting.
/// </summary>
internal static class ExpertRoutingKernels
{
    /// <summary>Experts at the most: their ranks lie in shared memory.</summary>
    public const int MaxExperts = 1024;

    private const int PreferredGroupSize = 64;

    public static GpuKernel<Arguments> Kernel { get; } = new("ExpertRouting", Rows);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } = [Operation("ExpertRouting.Renormalized", true), Operation("ExpertRouting.Shares", false)];

    /// <summary>Chooses experts for every row.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="logits">One router output an expert, [rows, expertCount].</param>
    /// <param name="renormalize">Whether the weights of the chosen sum to one.</param>
    /// <param name="chosen">Receives k experts a row by falling weight; -1 where there are too few numbers.</param>
    /// <param name="weights">Receives k weights a row; 0 where there are too few numbers.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="expertCount">Logits a row, at most <see cref="MaxExperts"/>.</param>
    /// <param name="k">Experts to choose a row.</param>
    /// <exception cref="ArgumentException">A view is too short, or a size out of range.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> logits, bool renormalize, ArrayView<int> chosen, ArrayView<float> weights, int rows, int expertCount, int k)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireCount(Kernel.Name, nameof(rows), rows);
        LaunchArguments.RequireCount(Kernel.Name, nameof(expertCount), expertCount);
        LaunchArguments.RequireCount(Kernel.Name, nameof(k), k);
        if (expertCount > MaxExperts) throw new ArgumentException($"{Kernel.Name}: expected at most {MaxExperts} experts, found {expertCount}.", nameof(expertCount));
        LaunchArguments.Require(Kernel.Name, nameof(logits), logits, (long)rows * expertCount);
        LaunchArguments.Require(Kernel.Name, nameof(chosen), chosen, (long)rows * k);
        LaunchArguments.Require(Kernel.Name, nameof(weights), weights, (long)rows * k);
        if (k == 0) return;
        launcher.Launch(Kernel, new Index3D(rows, 1, 1), launcher.GroupSize(PreferredGroupSize), new Arguments
        {
            Logits = logits,
            Chosen = chosen,
            Weights = weights,
            ExpertCount = expertCount,
            K = k,
            Renormalize = renormalize ? 1 : 0,
        });
    }

    internal static void Rows(Arguments a)
    {
        var shared = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var ranks = SharedMemory.Allocate<int>(MaxExperts);
        var logits = a.Logits.SubView((long)Grid.IdxX * a.ExpertCount, a.ExpertCount);
        var chosen = a.Chosen.SubView((long)Grid.IdxX * a.K, a.K);
        var weights = a.Weights.SubView((long)Grid.IdxX * a.K, a.K);

        // Every thread reads only the ranks that it wrote.
        float max = float.NegativeInfinity, numbers = 0;
        for (int i = Group.IdxX; i < a.ExpertCount; i += Group.DimX)
        {
            float logit = logits[i];
            ranks[i] = Rank(logits, a.ExpertCount, i);
            if (!float.IsNaN(logit)) numbers++;
            if (logit > max) max = logit;
        }

        max = GroupReduce.Max(shared, max);
        numbers = GroupReduce.Sum(shared, numbers);
        float sum = 0;
        for (int i = Group.IdxX; i < a.ExpertCount; i += Group.DimX)
        {
            if (a.Renormalize == 0 || ranks[i] < a.K) sum += MathF.Exp(logits[i] - max);
        }

        sum = GroupReduce.Sum(shared, sum);
        for (int i = Group.IdxX; i < a.ExpertCount; i += Group.DimX)
        {
            int rank = ranks[i];
            if (rank < a.K)
            {
                chosen[rank] = i;
                weights[rank] = MathF.Exp(logits[i] - max) / sum;
            }
        }

        for (int i = (int)numbers + Group.IdxX; i < a.K; i += Group.DimX)
        {
            chosen[i] = SelectionOrder.None;
            weights[i] = 0;
        }
    }

    /// <summary>Experts that come before one; behind all for NaN.</summary>
    private static int Rank(ArrayView<float> logits, int count, int expert)
    {
        float logit = logits[expert];
        if (float.IsNaN(logit)) return int.MaxValue;
        int rank = 0;
        for (int i = 0; i < count; i++)
        {
            if (SelectionOrder.IsBefore(logits[i], i, logit, expert)) rank++;
        }

        return rank;
    }

    private static GpuOperation Operation(string name, bool renormalize) => new(name, (launcher, b) => Launch(
        launcher, b.Floats("logits"), renormalize, b.Ints("chosen"), b.Floats("weights"), b.Shape["rows"], b.Shape["experts"], b.Shape["k"]));

    internal struct Arguments
    {
        public ArrayView<float> Logits;
        public ArrayView<int> Chosen;
        public ArrayView<float> Weights;
        public int ExpertCount;
        public int K;
        public int Renormalize;
    }
}
