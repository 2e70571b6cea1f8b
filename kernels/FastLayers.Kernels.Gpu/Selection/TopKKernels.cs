using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Selection;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Selection;

/// <summary>
/// The k largest values of each row in falling order: see <see cref="TopK"/>. A group finds the k-th largest value of its chunk by bisection
/// of its bits, counting how many are not below, and, where equal values are too many, the index up to which they are taken. Candidates of
/// several chunks go through the same kernel again; at last each candidate goes to the place that its rank says.
/// </summary>
internal static class TopKKernels
{
    private const int PreferredGroupSize = 256;

    public static GpuKernel<SelectArguments> SelectKernel { get; } = new("TopK.Select", Select);

    public static GpuKernel<SortArguments> SortKernel { get; } = new("TopK.Sort", Sort);

    public static IReadOnlyList<GpuKernel> All { get; } = [SelectKernel, SortKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new("TopK", (launcher, b) =>
        {
            int rows = b.Shape["rows"], columns = b.Shape["columns"], k = b.Shape["k"];
            int scratch = ScratchLength(rows, columns, k);
            Launch(launcher, b.Floats("x"), b.Ints("indices"), b.Floats("values"), rows, columns, k, b.Scratch<int>(scratch), b.Scratch<float>(scratch));
        }),
    ];

    /// <summary>Elements of both scratch views.</summary>
    public static int ScratchLength(int rows, int columns, int k)
    {
        int chunks = RowChunks.Count(columns, k);
        return checked(rows * k * (chunks == 1 ? 1 : chunks + 1));
    }

    /// <summary>Selects the largest values of each row.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="x">The rows. NaN is never chosen; of equal values the lower index comes first.</param>
    /// <param name="indices">Receives k positions a row; -1 where the row has too few numbers.</param>
    /// <param name="values">Receives k values a row; -∞ where the row has too few numbers.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Values a row.</param>
    /// <param name="k">Values to select a row.</param>
    /// <param name="scratchIndices">Memory for <see cref="ScratchLength"/> indices.</param>
    /// <param name="scratchValues">Memory for as many values.</param>
    /// <exception cref="ArgumentException">A view is too short, or k is negative.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> x, ArrayView<int> indices, ArrayView<float> values, int rows, int columns, int k,
        ArrayView<int> scratchIndices, ArrayView<float> scratchValues)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        string name = Operations[0].Name;
        LaunchArguments.RequireSizes(name, rows, columns);
        LaunchArguments.RequireCount(name, nameof(k), k);
        LaunchArguments.Require(name, nameof(x), x, (long)rows * columns);
        LaunchArguments.Require(name, nameof(indices), indices, (long)rows * k);
        LaunchArguments.Require(name, nameof(values), values, (long)rows * k);
        int scratch = ScratchLength(rows, columns, k);
        LaunchArguments.Require(name, nameof(scratchIndices), scratchIndices, scratch);
        LaunchArguments.Require(name, nameof(scratchValues), scratchValues, scratch);
        if (rows == 0 || k == 0) return;
        int chunks = RowChunks.Count(columns, k);
        int size = launcher.GroupSize(PreferredGroupSize);
        int kept = rows * k;
        var foundIndices = scratchIndices.SubView(0, kept);
        var foundValues = scratchValues.SubView(0, kept);
        var arguments = new SelectArguments
        {
            X = x,
            Indices = scratchIndices,
            FoundIndices = foundIndices,
            FoundValues = foundValues,
            Columns = columns,
            IndexEnd = columns,
            Chunks = 1,
            ChunkLength = columns,
            K = k,
        };
        if (chunks > 1)
        {
            var candidateIndices = scratchIndices.SubView(kept, kept * chunks);
            var candidateValues = scratchValues.SubView(kept, kept * chunks);
            launcher.Launch(SelectKernel, new Index3D(checked(rows * chunks), 1, 1), size, arguments with
            {
                FoundIndices = candidateIndices,
                FoundValues = candidateValues,
                Chunks = chunks,
                ChunkLength = RowChunks.Length,
            });
            arguments.X = candidateValues;
            arguments.Indices = candidateIndices;
            arguments.HasIndices = 1;
            arguments.Columns = chunks * k;
            arguments.ChunkLength = chunks * k;
        }

        launcher.Launch(SelectKernel, new Index3D(rows, 1, 1), size, arguments);
        launcher.Launch(SortKernel, new Index3D(rows, 1, 1), size, new SortArguments
        {
            FoundIndices = foundIndices,
            FoundValues = foundValues,
            Indices = indices,
            Values = values,
            K = k,
        });
    }

    internal static void Select(SelectArguments a)
    {
        var shared = SharedMemory.Allocate<int>(GpuLauncher.MaxGroupSize);
        int row = Grid.IdxX / a.Chunks;
        int start = (Grid.IdxX - (row * a.Chunks)) * a.ChunkLength;
        int length = Math.Min(a.ChunkLength, a.Columns - start);
        var x = a.X.SubView(((long)row * a.Columns) + start, length);
        var indices = a.HasIndices != 0 ? a.Indices.SubView(((long)row * a.Columns) + start, length) : a.Indices.SubView(0, 0);

        // At least k keys are not below low, unless there are fewer numbers; less than k are not below high.
        int low = SelectionOrder.NotANumber + 1, high = SelectionOrder.KeyEnd;
        int count = SelectionOrder.Sum(shared, CountFrom(x, length, low));
        while (count > a.K && low + 1 < high)
        {
            int middle = (low & high) + ((low ^ high) >> 1);
            int above = SelectionOrder.Sum(shared, CountFrom(x, length, middle));
            if (above >= a.K)
            {
                low = middle;
                count = above;
            }
            else
            {
                high = middle;
            }
        }

        // Of the values equal to the k-th largest, those up to an index: enough have one not above last, too few one not above first.
        int last = a.IndexEnd - 1;
        if (count > a.K)
        {
            int wanted = a.K - SelectionOrder.Sum(shared, CountFrom(x, length, high));
            int first = -1;
            while (first + 1 < last)
            {
                int middle = (first + last) >> 1;
                int equal = 0;
                for (int i = Group.IdxX; i < length; i += Group.DimX)
                {
                    int index = a.HasIndices != 0 ? indices[i] : start + i;
                    if (index <= middle && SelectionOrder.Key(x[i]) == low) equal++;
                }

                if (SelectionOrder.Sum(shared, equal) >= wanted) last = middle;
                else first = middle;
            }

            count = a.K;
        }

        // Places are taken in any order: the candidates are sorted in the end. No candidate without an index has a key above that of -∞.
        if (Group.IdxX == 0) shared[0] = 0;
        Group.Barrier();
        long found = (long)Grid.IdxX * a.K;
        for (int i = Group.IdxX; i < length; i += Group.DimX)
        {
            int key = SelectionOrder.Key(x[i]);
            int index = a.HasIndices != 0 ? indices[i] : start + i;
            if (index >= 0 && (key > low || (key == low && index <= last)))
            {
                int place = Atomic.Add(ref shared[0], 1);
                a.FoundIndices[found + place] = index;
                a.FoundValues[found + place] = x[i];
            }
        }

        Group.Barrier();
        for (int i = shared[0] + Group.IdxX; i < a.K; i += Group.DimX)
        {
            a.FoundIndices[found + i] = SelectionOrder.None;
            a.FoundValues[found + i] = float.NaN;
        }
    }

    internal static void Sort(SortArguments a)
    {
        long offset = (long)Grid.IdxX * a.K;
        var foundIndices = a.FoundIndices.SubView(offset, a.K);
        var foundValues = a.FoundValues.SubView(offset, a.K);
        for (int i = Group.IdxX; i < a.K; i += Group.DimX)
        {
            int rank = 0, count = 0;
            for (int j = 0; j < a.K; j++)
            {
                if (foundIndices[j] >= 0) count++;
                if (SelectionOrder.IsBefore(foundValues[j], foundIndices[j], foundValues[i], foundIndices[i])) rank++;
            }

            if (foundIndices[i] >= 0)
            {
                a.Indices[offset + rank] = foundIndices[i];
                a.Values[offset + rank] = foundValues[i];
            }

            // The places behind the last candidate, each by one thread.
            if (i >= count)
            {
                a.Indices[offset + i] = SelectionOrder.None;
                a.Values[offset + i] = float.NegativeInfinity;
            }
        }
    }

    private static int CountFrom(ArrayView<float> x, int length, int key)
    {
        int count = 0;
        for (int i = Group.IdxX; i < length; i += Group.DimX)
        {
            if (SelectionOrder.Key(x[i]) >= key) count++;
        }

        return count;
    }

    internal struct SelectArguments
    {
        public ArrayView<float> X;
        public ArrayView<int> Indices;
        public ArrayView<int> FoundIndices;
        public ArrayView<float> FoundValues;
        public int HasIndices;
        public int Columns;
        public int IndexEnd;
        public int Chunks;
        public int ChunkLength;
        public int K;
    }

    internal struct SortArguments
    {
        public ArrayView<int> FoundIndices;
        public ArrayView<float> FoundValues;
        public ArrayView<int> Indices;
        public ArrayView<float> Values;
        public int K;
    }
}
