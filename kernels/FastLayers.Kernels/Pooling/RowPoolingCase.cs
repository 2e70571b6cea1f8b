using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Pooling;

/// <summary>Catalog entries of <see cref="RowPooling"/>.</summary>
public static class RowPoolingCase
{
    /// <summary>One entry a kind.</summary>
    public static IReadOnlyList<KernelOperation> ByKind { get; } = [.. Enum.GetValues<PoolingKind>().Select(Create)];

    private static KernelOperation Create(PoolingKind kind) => new()
    {
        Name = $"RowPooling.{kind}",
        Definition = $"y[c] = {kind} of x[r, c] over r",
        // A sequence has rows; the rest covers partial sums (64 rows) and tails.
        Shapes =
        [
            .. RowShapes.All.Where(shape => shape["rows"] > 0),
            RowShapes.Of(63, 5), RowShapes.Of(64, 16), RowShapes.Of(65, 33), RowShapes.Of(513, 384), RowShapes.Of(5000, 7),
        ],
        Tolerance = 1e-12,
        ToleranceReason = "Means over partial sums of 64 rows; noise around 1 keeps them away from 0.",
        BytesMoved = shape => 4L * shape["columns"] + (kind is PoolingKind.Mean or PoolingKind.Max ? shape.FloatBytes() : 4L * shape["columns"]),
        OperationCount = shape => kind is PoolingKind.Mean or PoolingKind.Max ? shape.ValueCount() : 0,
        Fill = arguments =>
        {
            arguments.AddNoise("x", (int)arguments.Shape.ValueCount(), 1, 1);
            arguments.Add<float>("y", KernelBufferRole.Output, arguments.Shape["columns"]);
        },
        Reference = arguments => RowPoolingReference.Rows(kind, arguments.Floats("x"), arguments.Floats("y")),
        Simd = (level, arguments) => RowPooling.Rows(level, kind, arguments.Floats("x"), arguments.Floats("y")),
    };
}
