using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entry of <see cref="AnchorAssignment"/>.</summary>
public static class AnchorAssignmentCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "AnchorAssignment",
        Definition = "groups[m] = argmax over a of κ_m·κ_a / (|κ_m| |κ_a|), the first of equal ones",
        Shapes = [Of(0, 3, 8), Of(0, 0, 4), Of(1, 1, 1), Of(5, 1, 3), Of(7, 6, 17), Of(4, 9, 31), Of(21, 7, 64), Of(28, 10, 127), Of(9, 33, 1003)],
        MeasuredShapes = [Of(1024, 256, 128)],
        Tolerance = 1e-11,
        ToleranceReason = "Float dot products; cosines of noise lie around 1/√columns, below the length of the products' terms.",
        BytesMoved = shape => (4L * (shape["members"] + shape["anchors"]) * shape["columns"]) + (8L * shape["members"]),
        OperationCount = shape => 2L * shape["members"] * shape["anchors"] * shape["columns"],
        Fill = arguments =>
        {
            int members = arguments.Shape["members"], anchors = arguments.Shape["anchors"], columns = arguments.Shape["columns"];
            var rows = arguments.AddNoise("members", members * columns);
            var centers = arguments.AddNoise("anchors", anchors * columns);

            // Every third anchor once more, and once of double length, so that cosines are equal; a vector without length on each side.
            for (int anchor = 3; anchor < anchors; anchor++)
            {
                for (int i = 0; anchor % 3 != 2 && i < columns; i++)
                    centers[(anchor * columns) + i] = centers[((anchor - 3) * columns) + i] * (anchor % 3 == 0 ? 1 : 2);
            }

            if (members > 3) rows.Slice(2 * columns, columns).Clear();
            if (anchors > 2) centers.Slice(2 * columns, columns).Clear();
            arguments.Add<int>("groups", KernelBufferRole.Output, members);
            arguments.Add<float>("cosines", KernelBufferRole.Output, members);
        },
        Reference = a => AnchorAssignmentReference.Assign(a.Floats("members"), a.Floats("anchors"), a.Shape["columns"], a.Ints("groups"), a.Floats("cosines")),
        Simd = (level, a) => AnchorAssignment.Assign(level, a.Floats("members"), a.Floats("anchors"), a.Shape["columns"], a.Ints("groups"), a.Floats("cosines")),
    };

    private static KernelShape Of(int members, int anchors, int columns) => new(("members", members), ("anchors", anchors), ("columns", columns));
}
