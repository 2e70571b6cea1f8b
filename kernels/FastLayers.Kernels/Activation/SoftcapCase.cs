using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Activation;

/// <summary>Catalog entry of <see cref="Softcap"/>.</summary>
public static class SoftcapCase
{
    private const float Cap = 30;

    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = new()
    {
        Name = "Softcap",
        Definition = "y = cap · tanh(x / cap)",
        Shapes = RowShapes.All,
        Tolerance = 1e-13,
        ToleranceReason = "tanh is within 2e-7 relative error; two roundings follow.",
        BytesMoved = shape => 2 * shape.FloatBytes(),
        OperationCount = shape => 3 * shape.ValueCount(),
        Fill = arguments =>
        {
            arguments.AddNoise("x", (int)arguments.Shape.ValueCount(), 20);
            arguments.Add<float>("y", KernelBufferRole.Output, (int)arguments.Shape.ValueCount());
        },
        Reference = arguments => SoftcapReference.Row(arguments.Floats("x"), Cap, arguments.Floats("y")),
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                Softcap.Row(level, arguments.Row("x", row, columns), Cap, arguments.Row("y", row, columns));
        },
    };
}
