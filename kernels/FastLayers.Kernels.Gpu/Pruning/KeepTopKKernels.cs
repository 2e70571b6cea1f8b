using FastLayers.Kernels.Gpu.Catalog;
using FastLayers.Kernels.Gpu.Selection;
using FastLayers.Kernels.Pruning;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Pruning;

/// <summary>
/// The k largest scores in the order of the sequence: see <see cref="KeepTopK"/>. <see cref="TopKKernels"/> selects them; then each goes to
/// the place that the number of smaller indices says.
/// </summary>
internal static class KeepTopKKernels
{
    private const string Name = "KeepTopK";

    public static GpuKernel<Arguments> OrderKernel { get; } = new("KeepTopK.Order", Order);

    public static IReadOnlyList<GpuKernel> All { get; } = [OrderKernel];

    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        new(Name, (launcher, b) =>
        {
            int rows = b.Shape["rows"], columns = b.Shape["columns"], k = b.Shape["k"];
            int scratch = ScratchLength(rows, columns, k);
            Launch(launcher, b.Floats("scores"), b.Ints("kept"), b.Floats("values"), rows, columns, k, b.Scratch<int>(scratch), b.Scratch<float>(scratch));
        }),
    ];

    /// <summary>Elements of both scratch views.</summary>
    public static int ScratchLength(int rows, int columns, int k) => checked(TopKKernels.ScratchLength(rows, columns, k) + (rows * k));

    /// <summary>Selects tokens.</summary>
    /// <param name="launcher">Where to run.</param>
    /// <param name="scores">The scores [rows, columns]. NaN is never chosen.</param>
    /// <param name="kept">Receives k rising indices a row; -1 at the end where the row has too few numbers.</param>
    /// <param name="values">Receives their k scores a row; -∞ at the end where the row has too few numbers.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Scores a row.</param>
    /// <param name="k">Tokens to keep a row.</param>
    /// <param name="scratchIndices">Memory for <see cref="ScratchLength"/> indices.</param>
    /// <param name="scratchValues">Memory for as many values.</param>
    /// <exception cref="ArgumentException">A view is too short, or k is negative.</exception>
    public static void Launch(
        GpuLauncher launcher, ArrayView<float> scores, ArrayView<int> kept, ArrayView<float> values, int rows, int columns, int k,
        ArrayView<int> scratchIndices, ArrayView<float> scratchValues)
    {
        ArgumentNullException.ThrowIfNull(launcher);
        LaunchArguments.RequireSizes(Name, rows, columns);
        LaunchArguments.RequireSizes(Name, rows, k);
        int selection = rows * k;
        LaunchArguments.Require(Name, nameof(kept), kept, selection);
        LaunchArguments.Require(Name, nameof(values), values, selection);
        LaunchArguments.Require(Name, nameof(scratchIndices), scratchIndices, ScratchLength(rows, columns, k));
        LaunchArguments.Require(Name, nameof(scratchValues), scratchValues, ScratchLength(rows, columns, k));
        if (selection == 0) return;
        var indices = scratchIndices.SubView(0, selection);
        var found = scratchValues.SubView(0, selection);
        TopKKernels.Launch(
            launcher, scores, indices, found, rows, columns, k,
            scratchIndices.SubView(selection, scratchIndices.Length - selection), scratchValues.SubView(selection, scratchValues.Length - selection));
        launcher.LaunchThreads(OrderKernel, selection, new Arguments { Indices = indices, Found = found, Kept = kept, Values = values, K = k, Count = selection });
    }

    internal static void Order(Arguments a)
    {
        int item = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (item >= a.Count) return;
        int start = item / a.K * a.K;
        int index = a.Indices[item];
        int place = item - start;

        // What was not found stands at the end already.
        if (index >= 0)
        {
            place = 0;
            for (int i = start; i < start + a.K; i++) place += a.Indices[i] >= 0 && a.Indices[i] < index ? 1 : 0;
        }

        a.Kept[start + place] = index;
        a.Values[start + place] = a.Found[item];
    }

    internal struct Arguments
    {
        public ArrayView<int> Indices;
        public ArrayView<float> Found;
        public ArrayView<int> Kept;
        public ArrayView<float> Values;
        public int K;
        public int Count;
    }
}
