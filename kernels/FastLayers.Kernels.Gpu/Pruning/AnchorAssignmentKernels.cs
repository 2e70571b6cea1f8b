using System.Numerics;
using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pruning;

/// <summary>
/// The anchor with the largest cosine for each member: see <see cref="AnchorAssignment"/>. A group takes a member; its threads lie in two
/// dimensions, so that several anchors are tried at once and several threads share the columns of each.
/// </summary>
internal static class AnchorAssignmentKernels
{
    private const int PreferredGroupSize = 256;

    public static GpuKernel<Arguments> Kernel { get; } = new("AnchorAssignment", Assign);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new(Kernel.Name, (launcher, b) => Launch(
            launcher, b.Floats("members"), b.Shape["members"], b.Floats("anchors"), b.Shape["anchors"], b.Shape["columns"], b.Ints("groups"), b.Floats("cosines"))),
    ];

    /// <summary>Assigns members to anchors.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="members">Vectors [members, columns]; finite.</param>
    /// <param name="memberCount">Number of members.</param>
    /// <param name="anchors">Vectors [anchors, columns]; finite.</param>
    /// <param name="anchorCount">Number of anchors.</param>
    /// <param name="columns">Values a vector.</param>
    /// <param name="groups">Receives the anchor of each member.</param>
    /// <param name="cosines">Receives its cosine.</param>
    /// <exception cref="ArgumentException">A view is too short, or there are members but no anchor.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> members, int memberCount, ArrayView<float> anchors, int anchorCount, int columns, ArrayView<int> groups, ArrayView<float> cosines)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(Kernel.Name, memberCount, columns);
        LaunchArguments.RequireSizes(Kernel.Name, anchorCount, columns);
        PruningRows.RequireAnchors(Kernel.Name, memberCount, anchorCount);
        LaunchArguments.Require(Kernel.Name, nameof(members), members, (long)memberCount * columns);
        LaunchArguments.Require(Kernel.Name, nameof(anchors), anchors, (long)anchorCount * columns);
        LaunchArguments.Require(Kernel.Name, nameof(groups), groups, memberCount);
        LaunchArguments.Require(Kernel.Name, nameof(cosines), cosines, memberCount);
        Start(launcher, Kernel, memberCount, new Arguments { Members = members, Anchors = anchors, Groups = groups, Cosines = cosines, AnchorCount = anchorCount, Columns = columns });
    }

    /// <summary>Starts the kernel, or one that takes its place, with the grid that it expects.</summary>
    internal static void Start(GpuLauncher launcher, GpuKernel<Arguments> kernel, int memberCount, Arguments arguments)
    {
        // Of the bits that number a thread, five of eight choose the column and the others the anchor: a line of memory times 8 anchors.
        int size = launcher.GroupSize(PreferredGroupSize);
        arguments.TileColumns = 1 << (BitOperations.Log2((uint)size) * 5 / 8);
        launcher.Launch(kernel, new Index3D(memberCount, 1, 1), size, arguments);
    }

    internal static void Assign(Arguments a)
    {
        var products = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var squares = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var indices = SharedMemory.Allocate<int>(GpuLauncher.MaxGroupSize);
        var member = a.Members.SubView((long)Grid.IdxX * a.Columns, a.Columns);
        float length = 0;
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) length += member[i] * member[i];
        float inverse = InverseOrZero(GroupReduce.Sum(products, length));

        int lanes = Group.DimX / a.TileColumns;
        int lane = Group.IdxX / a.TileColumns;
        int column = Group.IdxX - (lane * a.TileColumns);
        float best = float.NegativeInfinity;
        int bestAnchor = int.MaxValue;
        for (int first = 0; first < a.AnchorCount; first += lanes)
        {
            int anchor = first + lane;
            float product = 0, square = 0;
            if (anchor < a.AnchorCount)
            {
                var values = a.Anchors.SubView((long)anchor * a.Columns, a.Columns);
                for (int i = column; i < a.Columns; i += a.TileColumns)
                {
                    product += member[i] * values[i];
                    square += values[i] * values[i];
                }
            }

            products[Group.IdxX] = product;
            squares[Group.IdxX] = square;
            Group.Barrier();
            if (column == 0 && anchor < a.AnchorCount)
            {
                for (int i = 1; i < a.TileColumns; i++)
                {
                    product += products[Group.IdxX + i];
                    square += squares[Group.IdxX + i];
                }

                float cosine = product * InverseOrZero(square);
                if (bestAnchor == int.MaxValue || cosine > best)
                {
                    best = cosine;
                    bestAnchor = anchor;
                }
            }

            Group.Barrier();
        }

        products[Group.IdxX] = best;
        indices[Group.IdxX] = bestAnchor;
        Group.Barrier();
        if (Group.IdxX != 0) return;
        for (int other = a.TileColumns; other < Group.DimX; other += a.TileColumns)
        {
            if (products[other] < best || (products[other] == best && indices[other] > bestAnchor) || indices[other] == int.MaxValue) continue;
            best = products[other];
            bestAnchor = indices[other];
        }

        a.Groups[Grid.IdxX] = bestAnchor;
        a.Cosines[Grid.IdxX] = best * inverse;
    }

    private static float InverseOrZero(float squares) => squares == 0 ? 0 : 1 / MathF.Sqrt(squares);

    internal struct Arguments
    {
        public ArrayView<float> Members;
        public ArrayView<float> Anchors;
        public ArrayView<int> Groups;
        public ArrayView<float> Cosines;
        public int AnchorCount;
        public int Columns;
        public int TileColumns;
    }
}
