using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Selection;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Selection;

/// <summary>The position of the largest value of each row: see <see cref="ArgMax"/>. Long rows are divided among groups.</summary>
internal static class ArgMaxKernels
{
    private const int PreferredGroupSize = 256;

    public static GpuKernel<Arguments> Kernel { get; } = new("ArgMax", Chunks);

    public static IReadOnlyList<GpuKernel> All { get; } = [Kernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("ArgMax", (launcher, b) =>
        {
            int scratch = ScratchLength(b.Shape["rows"], b.Shape["columns"]);
            Launch(launcher, b.Floats("x"), b.Ints("y"), b.Shape["rows"], b.Shape["columns"], b.Scratch<float>(scratch), b.Scratch<int>(scratch));
        }),
    ];

    /// <summary>Elements of both scratch views.</summary>
    public static int ScratchLength(int rows, int columns)
    {
        int chunks = RowChunks.Count(columns, 1);
        return chunks == 1 ? 0 : checked(rows * chunks);
    }

    /// <summary>The lowest index of the largest value of each row, -1 if it has no number.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows.</param>
    /// <param name="y">Receives one index a row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <param name="scratchValues">Memory for <see cref="ScratchLength"/> values.</param>
    /// <param name="scratchIndices">Memory for as many indices.</param>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> x, ArrayView<int> y, int rows, int columns, ArrayView<float> scratchValues, ArrayView<int> scratchIndices)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(Kernel.Name, rows, columns);
        LaunchArguments.Require(Kernel.Name, nameof(x), x, (long)rows * columns);
        LaunchArguments.Require(Kernel.Name, nameof(y), y, rows);
        int scratch = ScratchLength(rows, columns);
        LaunchArguments.Require(Kernel.Name, nameof(scratchValues), scratchValues, scratch);
        LaunchArguments.Require(Kernel.Name, nameof(scratchIndices), scratchIndices, scratch);
        int chunks = RowChunks.Count(columns, 1);
        int size = launcher.GroupSize(PreferredGroupSize);
        var arguments = new Arguments { X = x, Indices = y, FoundValues = x, FoundIndices = y, Columns = columns, Chunks = 1, ChunkLength = columns };
        if (chunks > 1)
        {
            arguments = arguments with { Chunks = chunks, ChunkLength = RowChunks.Length, FoundValues = scratchValues, HasFoundValues = 1, FoundIndices = scratchIndices };
            launcher.Launch(Kernel, new Index3D(checked(rows * chunks), 1, 1), size, arguments);
            arguments = new Arguments
            {
                X = scratchValues,
                Indices = scratchIndices,
                HasIndices = 1,
                FoundValues = scratchValues,
                FoundIndices = y,
                Columns = chunks,
                Chunks = 1,
                ChunkLength = chunks,
            };
        }

        launcher.Launch(Kernel, new Index3D(rows, 1, 1), size, arguments);
    }

    internal static void Chunks(Arguments a)
    {
        var values = SharedMemory.Allocate<float>(GpuLauncher.MaxGroupSize);
        var indices = SharedMemory.Allocate<int>(GpuLauncher.MaxGroupSize);
        int row = Grid.IdxX / a.Chunks;
        int start = (Grid.IdxX - (row * a.Chunks)) * a.ChunkLength;
        int end = Math.Min(start + a.ChunkLength, a.Columns);
        long offset = (long)row * a.Columns;
        var x = a.X.SubView(offset, a.Columns);
        float best = float.NegativeInfinity;
        int bestIndex = SelectionOrder.None;
        for (int i = start + Group.IdxX; i < end; i += Group.DimX)
        {
            float value = x[i];
            int index = a.HasIndices != 0 ? a.Indices[offset + i] : i;
            if (!float.IsNaN(value) && SelectionOrder.IsBefore(value, index, best, bestIndex))
            {
                best = value;
                bestIndex = index;
            }
        }

        values[Group.IdxX] = best;
        indices[Group.IdxX] = bestIndex;
        Group.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half && SelectionOrder.IsBefore(values[Group.IdxX + half], indices[Group.IdxX + half], values[Group.IdxX], indices[Group.IdxX]))
            {
                values[Group.IdxX] = values[Group.IdxX + half];
                indices[Group.IdxX] = indices[Group.IdxX + half];
            }

            Group.Barrier();
        }

        if (Group.IdxX == 0)
        {
            a.FoundIndices[Grid.IdxX] = indices[0];
            if (a.HasFoundValues != 0) a.FoundValues[Grid.IdxX] = values[0];
        }
    }

    internal struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<int> Indices;
        public ArrayView<float> FoundValues;
        public ArrayView<int> FoundIndices;
        public int HasIndices;
        public int HasFoundValues;
        public int Columns;
        public int Chunks;
        public int ChunkLength;
    }
}
