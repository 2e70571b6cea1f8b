using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entries of <see cref="SegmentMean"/>.</summary>
public static class SegmentMeanCase
{
    /// <summary>One entry a mode.</summary>
    public static IReadOnlyList<KernelOperation> ByMode { get; } = [.. Enum.GetValues<MergeMode>().Select(Create)];

    private static KernelOperation Create(MergeMode mode) => new()
    {
        Name = $"SegmentMean.{mode}",
        Definition = mode == MergeMode.Mean ? "y_a = (h_a + Σ members) / (1 + number)" : "y_a = h_a + mean of the members",
        // Nothing; no member; one row; groups without members; odd widths.
        Shapes = [Of(0, 0, 8), Of(3, 0, 5), Of(1, 1, 1), Of(1, 9, 17), Of(5, 3, 31), Of(7, 21, 64), Of(4, 40, 127), Of(7, 28, 1003)],
        MeasuredShapes = [Of(64, 1024, 4096)],
        Tolerance = 1e-12,
        ToleranceReason = "Float sums of up to 40 rows.",
        BytesMoved = shape => (4L * ((2 * shape["anchors"]) + shape["members"]) * shape["columns"]) + (4L * shape["members"]),
        OperationCount = shape => ((2L * shape["anchors"]) + shape["members"]) * shape["columns"],
        Fill = arguments =>
        {
            int anchors = arguments.Shape["anchors"], members = arguments.Shape["members"], columns = arguments.Shape["columns"];
            arguments.AddNoise("anchors", anchors * columns);
            arguments.AddNoise("members", members * columns);

            // The last of several anchors stays without members.
            arguments.AddInts("groups", members, Math.Max(1, anchors - 1));
            arguments.Add<float>("y", KernelBufferRole.Output, anchors * columns);
        },
        Reference = a => SegmentMeanReference.Merge(mode, a.Floats("anchors"), a.Floats("members"), a.Ints("groups"), a.Shape["columns"], a.Floats("y")),
        Simd = (level, a) => SegmentMean.Merge(level, mode, a.Floats("anchors"), a.Floats("members"), a.Ints("groups"), a.Shape["columns"], a.Floats("y")),
    };

    private static KernelShape Of(int anchors, int members, int columns) => new(("anchors", anchors), ("members", members), ("columns", columns));
}
