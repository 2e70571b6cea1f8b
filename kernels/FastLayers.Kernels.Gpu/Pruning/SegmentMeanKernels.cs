using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pruning;

/// <summary>
/// Merges tokens into the anchors of their groups: see <see cref="SegmentMean"/>. A thread has a column of an anchor and looks through all
/// groups, so that nothing is added atomically and sums have one order. A group that is no anchor cannot be refused here; it adds nothing.
/// </summary>
internal static class SegmentMeanKernels
{
    private const int PreferredGroupSize = 128;

    /// <summary>Tiles of columns at the most; the second dimension of a grid is short on CUDA.</summary>
    private const int MaxTiles = 1024;

    private const string Name = "SegmentMean";

    public static GpuKernel<Arguments> Kernel { get; } = new(Name, Merge);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        .. Enum.GetValues<MergeMode>().Select(mode => new GpuOperation($"SegmentMean.{mode}", (launcher, b) => Launch(
            launcher, mode, b.Floats("anchors"), b.Shape["anchors"], b.Floats("members"), b.Shape["members"], b.Ints("groups"), b.Shape["columns"], b.Floats("y")))),
    ];

    /// <summary>Merges the members into the anchors.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="mode">How.</param>
    /// <param name="anchors">Rows [anchors, columns].</param>
    /// <param name="anchorCount">Number of anchors.</param>
    /// <param name="members">Rows [members, columns].</param>
    /// <param name="memberCount">Number of members.</param>
    /// <param name="groups">The anchor of each member.</param>
    /// <param name="columns">Values a row.</param>
    /// <param name="output">Receives [anchors, columns].</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The mode is not defined.</exception>
    public static void Launch(
        GpuLauncher launcher, MergeMode mode, ArrayView<float> anchors, int anchorCount, ArrayView<float> members, int memberCount, ArrayView<int> groups, int columns, ArrayView<float> output)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        SegmentMean.RequireMode(mode);
        LaunchArguments.RequireSizes(Name, anchorCount, columns);
        LaunchArguments.RequireSizes(Name, memberCount, columns);
        LaunchArguments.Require(Name, nameof(anchors), anchors, (long)anchorCount * columns);
        LaunchArguments.Require(Name, nameof(members), members, (long)memberCount * columns);
        LaunchArguments.Require(Name, nameof(groups), groups, memberCount);
        LaunchArguments.Require(Name, nameof(output), output, (long)anchorCount * columns);
        int size = launcher.GroupSize(PreferredGroupSize);
        launcher.Launch(Kernel, Groups(anchorCount, columns, size), size, new Arguments
        {
            Anchors = anchors,
            Members = members,
            Groups = groups,
            Output = output,
            MemberCount = memberCount,
            Columns = columns,
            IsMean = mode == MergeMode.Mean ? 1 : 0,
        });
    }

    internal static Index3D Groups(int anchorCount, int columns, int size) => new(anchorCount, Math.Min(MaxTiles, (columns + size - 1) / size), 1);

    internal static void Merge(Arguments a)
    {
        int anchor = Grid.IdxX;
        for (int column = (Grid.IdxY * Group.DimX) + Group.IdxX; column < a.Columns; column += Grid.DimY * Group.DimX)
        {
            float sum = 0;
            int count = 0;
            for (int member = 0; member < a.MemberCount; member++)
            {
                if (a.Groups[member] != anchor) continue;
                sum += a.Members[((long)member * a.Columns) + column];
                count++;
            }

            long place = ((long)anchor * a.Columns) + column;
            a.Output[place] = a.IsMean != 0 ? (a.Anchors[place] + sum) / (count + 1) : a.Anchors[place] + (sum / Math.Max(count, 1));
        }
    }

    internal struct Arguments
    {
        public ArrayView<float> Anchors;
        public ArrayView<float> Members;
        public ArrayView<int> Groups;
        public ArrayView<float> Output;
        public int MemberCount;
        public int Columns;
        public int IsMean;
    }
}
