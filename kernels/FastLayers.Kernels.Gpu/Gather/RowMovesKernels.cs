using FastLayers.Kernels.Gather;
using FastLayers.Kernels.Gpu.Catalog;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Gather;

/// <summary>
/// Moves whole rows by index: see <see cref="RowMoves"/>. Nothing is added atomically: each row of a target belongs to one group, which looks
/// through all indices, so that sums have one order. Rows that move to the front in place are moved by threads that own columns.
/// An index outside the rows cannot be refused here; it reads NaN, or adds nothing.
/// </summary>
internal static class RowMovesKernels
{
    private const int PreferredGroupSize = 256;

    /// <summary>Columns of a compaction are few threads; small groups spread them over more of the device.</summary>
    private const int PreferredCompactGroupSize = 64;

    public static GpuKernel<GatherArguments> GatherKernel { get; } = new("RowMoves.Gather", GatherRows);

    public static GpuKernel<ScatterArguments> ScatterAddKernel { get; } = new("RowMoves.ScatterAdd", ScatterAddRows);

    public static GpuKernel<FindArguments> FindKeptKernel { get; } = new("RowMoves.FindKept", FindKeptRows);

    public static GpuKernel<CompactArguments> CompactKernel { get; } = new("RowMoves.Compact", CompactRows);

    public static IReadOnlyList<GpuKernel> All { get; } = [GatherKernel, ScatterAddKernel, FindKeptKernel, CompactKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("RowMoves.Gather", (launcher, b) => Gather(
            launcher, b.Floats("input"), b.Shape["rows"], b.Ints("indices"), b.Shape["indices"], b.Shape["columns"], b.Floats("output"))),
        new("RowMoves.ScatterAdd", (launcher, b) => ScatterAdd(
            launcher, b.Floats("source"), b.Floats("weights"), b.Ints("indices"), b.Shape["indices"], b.Shape["columns"], b.Floats("target"), b.Shape["rows"])),
        new("RowMoves.FindKept", (launcher, b) => FindKept(launcher, b.Ints("keep"), b.Shape["rows"], b.Ints("indices"), b.Ints("count"))),
        new("RowMoves.Compact", (launcher, b) => Compact(
            launcher, b.Floats("rows"), b.Shape["rows"], b.Ints("kept"), b.Shape["kept"], b.Shape["columns"])),
    ];

    /// <summary>output[r] = input[indices[r]].</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void Gather(GpuLauncher launcher, ArrayView<float> input, int inputRows, ArrayView<int> indices, int count, int columns, ArrayView<float> output)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        string name = GatherKernel.Name;
        LaunchArguments.RequireSizes(name, inputRows, columns);
        LaunchArguments.RequireCount(name, nameof(count), count);
        LaunchArguments.Require(name, nameof(input), input, (long)inputRows * columns);
        LaunchArguments.Require(name, nameof(indices), indices, count);
        LaunchArguments.Require(name, nameof(output), output, (long)count * columns);
        if (columns == 0) return;
        launcher.Launch(GatherKernel, new Index3D(count, 1, 1), launcher.GroupSize(PreferredGroupSize), new GatherArguments
        {
            Input = input,
            Indices = indices,
            Output = output,
            InputRows = inputRows,
            Columns = columns,
        });
    }

    /// <summary>target[indices[r]] += weights[r] · source[r]; empty weights mean 1.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void ScatterAdd(
        GpuLauncher launcher, ArrayView<float> source, ArrayView<float> weights, ArrayView<int> indices, int count, int columns, ArrayView<float> target, int targetRows)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        string name = ScatterAddKernel.Name;
        LaunchArguments.RequireSizes(name, targetRows, columns);
        LaunchArguments.RequireCount(name, nameof(count), count);
        LaunchArguments.Require(name, nameof(source), source, (long)count * columns);
        LaunchArguments.RequireOrEmpty(name, nameof(weights), weights, count);
        LaunchArguments.Require(name, nameof(indices), indices, count);
        LaunchArguments.Require(name, nameof(target), target, (long)targetRows * columns);
        if (columns == 0 || count == 0) return;
        launcher.Launch(ScatterAddKernel, new Index3D(targetRows, 1, 1), launcher.GroupSize(PreferredGroupSize), new ScatterArguments
        {
            Source = source,
            Weights = weights.Length > 0 ? weights : source,
            HasWeights = weights.Length > 0 ? 1 : 0,
            Indices = indices,
            Target = target,
            Count = count,
            Columns = columns,
        });
    }

    /// <summary>The positions of the flags that are not 0 in rising order, then -1, and how many there are.</summary>
    /// <exception cref="ArgumentException">A view is too short.</exception>
    public static void FindKept(GpuLauncher launcher, ArrayView<int> keep, int rows, ArrayView<int> indices, ArrayView<int> count)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireCount(FindKeptKernel.Name, nameof(rows), rows);
        LaunchArguments.Require(FindKeptKernel.Name, nameof(keep), keep, rows);
        LaunchArguments.Require(FindKeptKernel.Name, nameof(indices), indices, rows);
        LaunchArguments.Require(FindKeptKernel.Name, nameof(count), count, 1);
        launcher.Launch(FindKeptKernel, new Index3D(1, 1, 1), launcher.GroupSize(PreferredGroupSize), new FindArguments { Keep = keep, Indices = indices, Count = count, Rows = rows });
    }

    /// <summary>rows[r] = rows[kept[r]]; the indices rise strictly.</summary>
    /// <exception cref="ArgumentException">A view is too short, or there are more indices than rows.</exception>
    public static void Compact(GpuLauncher launcher, ArrayView<float> rows, int rowCount, ArrayView<int> kept, int count, int columns)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        string name = CompactKernel.Name;
        LaunchArguments.RequireSizes(name, rowCount, columns);
        if (count < 0 || count > rowCount) throw new ArgumentException($"{name}: expected 0 to {rowCount} indices, found {count}.", nameof(count));
        LaunchArguments.Require(name, nameof(rows), rows, (long)rowCount * columns);
        LaunchArguments.Require(name, nameof(kept), kept, count);
        if (count == 0) return;
        int size = launcher.GroupSize(PreferredCompactGroupSize);
        launcher.Launch(CompactKernel, new Index3D(GridSize.ForThreads(launcher, columns, size), 1, 1), size, new CompactArguments
        {
            Rows = rows,
            Kept = kept,
            RowCount = rowCount,
            Count = count,
            Columns = columns,
        });
    }

    internal static void GatherRows(GatherArguments a)
    {
        int index = a.Indices[Grid.IdxX];
        bool exists = index >= 0 && index < a.InputRows;
        var input = a.Input.SubView((long)(exists ? index : 0) * a.Columns, exists ? a.Columns : 0);
        var output = a.Output.SubView((long)Grid.IdxX * a.Columns, a.Columns);
        for (int i = Group.IdxX; i < a.Columns; i += Group.DimX)
        {
            float value = float.NaN;
            if (exists) value = input[i];
            output[i] = value;
        }
    }

    internal static void ScatterAddRows(ScatterArguments a)
    {
        var target = a.Target.SubView((long)Grid.IdxX * a.Columns, a.Columns);
        for (int r = 0; r < a.Count; r++)
        {
            if (a.Indices[r] != Grid.IdxX) continue;
            float weight = a.HasWeights != 0 ? a.Weights[r] : 1;
            var source = a.Source.SubView((long)r * a.Columns, a.Columns);
            for (int i = Group.IdxX; i < a.Columns; i += Group.DimX) target[i] += weight * source[i];
        }
    }

    internal static void FindKeptRows(FindArguments a)
    {
        var counts = SharedMemory.Allocate<int>(GpuLauncher.MaxGroupSize);

        // A thread takes a piece of the rows; where its results start is the sum of the counts of the threads before it.
        int piece = (a.Rows + Group.DimX - 1) / Group.DimX;
        int start = Math.Min(Group.IdxX * piece, a.Rows);
        int end = Math.Min(start + piece, a.Rows);
        int own = 0;
        for (int i = start; i < end; i++)
        {
            if (a.Keep[i] != 0) own++;
        }

        counts[Group.IdxX] = own;
        Group.Barrier();
        int place = 0, total = 0;
        for (int thread = 0; thread < Group.DimX; thread++)
        {
            if (thread == Group.IdxX) place = total;
            total += counts[thread];
        }

        for (int i = start; i < end; i++)
        {
            if (a.Keep[i] != 0)
            {
                a.Indices[place] = i;
                place++;
            }
        }

        for (int i = total + Group.IdxX; i < a.Rows; i += Group.DimX) a.Indices[i] = -1;
        if (Group.IdxX == 0) a.Count[0] = total;
    }

    internal static void CompactRows(CompactArguments a)
    {
        int threads = Grid.DimX * Group.DimX;
        for (int column = (Grid.IdxX * Group.DimX) + Group.IdxX; column < a.Columns; column += threads)
        {
            // Indices rise, so what is written lies before all that is still to be read. Four loads are under way at a time.
            int r = 0;
            for (; r + 3 < a.Count; r += 4)
            {
                float value0 = Value(a, r, column), value1 = Value(a, r + 1, column), value2 = Value(a, r + 2, column), value3 = Value(a, r + 3, column);
                long place = ((long)r * a.Columns) + column;
                a.Rows[place] = value0;
                a.Rows[place + a.Columns] = value1;
                a.Rows[place + (2L * a.Columns)] = value2;
                a.Rows[place + (3L * a.Columns)] = value3;
            }

            for (; r < a.Count; r++) a.Rows[((long)r * a.Columns) + column] = Value(a, r, column);
        }
    }

    private static float Value(CompactArguments a, int r, int column)
    {
        int index = a.Kept[r];
        float value = float.NaN;
        if (index >= 0 && index < a.RowCount) value = a.Rows[((long)index * a.Columns) + column];
        return value;
    }

    internal struct GatherArguments
    {
        public ArrayView<float> Input;
        public ArrayView<int> Indices;
        public ArrayView<float> Output;
        public int InputRows;
        public int Columns;
    }

    internal struct ScatterArguments
    {
        public ArrayView<float> Source;
        public ArrayView<float> Weights;
        public ArrayView<int> Indices;
        public ArrayView<float> Target;
        public int HasWeights;
        public int Count;
        public int Columns;
    }

    internal struct FindArguments
    {
        public ArrayView<int> Keep;
        public ArrayView<int> Indices;
        public ArrayView<int> Count;
        public int Rows;
    }

    internal struct CompactArguments
    {
        public ArrayView<float> Rows;
        public ArrayView<int> Kept;
        public int RowCount;
        public int Count;
        public int Columns;
    }
}
