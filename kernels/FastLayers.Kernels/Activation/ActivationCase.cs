using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Activation;

/// <summary>Catalog entries of <see cref="Activations"/>.</summary>
public static class ActivationCase
{
    /// <summary>The plain functions.</summary>
    public static IReadOnlyList<KernelOperation> Plain { get; } = [.. Enum.GetValues<ActivationKind>().Select(kind => Create(kind, false))];

    /// <summary>The gated functions.</summary>
    public static IReadOnlyList<KernelOperation> Gated { get; } = [.. Enum.GetValues<ActivationKind>().Select(kind => Create(kind, true))];

    private static KernelOperation Create(ActivationKind kind, bool gated) => new()
    {
        Name = gated ? $"Activations.Gated{kind}" : $"Activations.{kind}",
        Definition = gated ? $"y = {kind}(gate) · up" : $"y = {kind}(x)",
        Shapes = RowShapes.All,
        Tolerance = 1e-13,
        ToleranceReason = "The elementary functions are within 2e-7 relative error; two or three roundings follow.",
        BytesMoved = shape => (gated ? 3 : 2) * shape.FloatBytes(),
        OperationCount = shape => (OperationsOf(kind) + (gated ? 1 : 0)) * shape.ValueCount(),
        Fill = arguments =>
        {
            var count = (int)arguments.Shape.ValueCount();
            arguments.AddNoise("gate", count, 2);
            arguments.AddNoise("up", gated ? count : 0);
            arguments.Add<float>("y", KernelBufferRole.Output, count);
        },
        Reference = arguments =>
        {
            if (gated) ActivationReference.GatedRow(kind, arguments.Floats("gate"), arguments.Floats("up"), arguments.Floats("y"));
            else ActivationReference.Row(kind, arguments.Floats("gate"), arguments.Floats("y"));
        },
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
            {
                ReadOnlySpan<float> gate = arguments.Row("gate", row, columns);
                var y = arguments.Row("y", row, columns);
                if (gated) Activations.GatedRow(level, kind, gate, arguments.Row("up", row, columns), y);
                else Activations.Row(level, kind, gate, y);
            }
        },
    };

    private static long OperationsOf(ActivationKind kind) => kind switch
    {
        ActivationKind.Relu or ActivationKind.Tanh => 1,
        ActivationKind.ReluSquared => 2,
        ActivationKind.Silu => 3,
        ActivationKind.GeluErf => 5,
        _ => 8,
    };
}
