using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Activation;

/// <summary>Catalog entries of <see cref="Activations"/>.</summary>
public static class ActivationCase
{
    private const double Tolerance = 1e-13;
    private const string ToleranceReason = "The elementary functions are within 2e-7 relative error; two or three roundings follow.";

    /// <summary>The plain functions.</summary>
    public static IReadOnlyList<KernelOperation> Plain { get; } = [.. Enum.GetValues<ActivationKind>().Select(CreatePlain)];

    /// <summary>The gated functions.</summary>
    public static IReadOnlyList<KernelOperation> Gated { get; } = [.. Enum.GetValues<ActivationKind>().Select(CreateGated)];

    private static KernelOperation CreatePlain(ActivationKind kind) => RowCase.Create(
        $"Activations.{kind}", $"y = {kind}(x)",
        (x, y) => ActivationReference.Row(kind, x, y),
        (level, x, y) => Activations.Row(level, kind, x, y),
        Tolerance, ToleranceReason, OperationsOf(kind), deviation: 2, magnitude: MagnitudeOf(kind));

    private static KernelOperation CreateGated(ActivationKind kind) => new()
    {
        Name = $"Activations.Gated{kind}",
        Definition = $"y = {kind}(gate) · up",
        Shapes = RowShapes.All,
        Tolerance = Tolerance,
        ToleranceReason = ToleranceReason,
        Magnitude = MagnitudeOf(kind),
        BytesMoved = shape => 3 * shape.FloatBytes(),
        OperationCount = shape => (OperationsOf(kind) + 1) * shape.ValueCount(),
        Fill = arguments =>
        {
            var count = (int)arguments.Shape.ValueCount();
            arguments.AddNoise("gate", count, 2);
            arguments.AddNoise("up", count);
            arguments.Add<float>("y", KernelBufferRole.Output, count);
        },
        Reference = arguments => ActivationReference.GatedRow(kind, arguments.Floats("gate"), arguments.Floats("up"), arguments.Floats("y")),
        Simd = (level, arguments) =>
        {
            var columns = arguments.Shape["columns"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
                Activations.GatedRow(level, kind, arguments.Row("gate", row, columns), arguments.Row("up", row, columns), arguments.Row("y", row, columns));
        },
    };

    /// <summary>For negative x the GELUs are what is left of 1 - 1, times x.</summary>
    private static double MagnitudeOf(ActivationKind kind) => kind is ActivationKind.GeluErf or ActivationKind.GeluTanh ? 1 : 0;

    private static int OperationsOf(ActivationKind kind) => kind switch
    {
        ActivationKind.Relu or ActivationKind.Tanh => 1,
        ActivationKind.ReluSquared => 2,
        ActivationKind.Silu => 3,
        ActivationKind.GeluErf => 5,
        _ => 8,
    };
}
