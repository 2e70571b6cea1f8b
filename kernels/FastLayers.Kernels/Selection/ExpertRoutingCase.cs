using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Selection;

/// <summary>Catalog entries of <see cref="ExpertRouting"/>.</summary>
public static class ExpertRoutingCase
{
    /// <summary>Weights that sum to one.</summary>
    public static KernelOperation Renormalized { get; } = Create("ExpertRouting.Renormalized", true);

    /// <summary>Weights as shares of all experts.</summary>
    public static KernelOperation Shares { get; } = Create("ExpertRouting.Shares", false);

    private static KernelOperation Create(string name, bool renormalize) => new()
    {
        Name = name,
        Definition = "softmax over the experts, then the k largest shares" + (renormalize ? " divided by their sum" : ""),
        Shapes = [Of(0, 8, 2), Of(1, 1, 1), Of(3, 8, 2), Of(2, 60, 4), Of(2, 6, 6), Of(2, 3, 4), Of(64, 128, 8)],
        Tolerance = 1e-12,
        ToleranceReason = "exp is within 1e-7 relative error of a rounded argument, whose own rounding it multiplies.",
        BytesMoved = shape => 4L * shape["rows"] * shape["experts"] + 8L * shape["rows"] * shape["k"],
        OperationCount = shape => 4L * shape["rows"] * shape["experts"],
        Fill = arguments =>
        {
            int rows = arguments.Shape["rows"], k = arguments.Shape["k"];
            arguments.AddNoise("logits", rows * arguments.Shape["experts"], 3);
            arguments.Add<int>("chosen", KernelBufferRole.Output, rows * k);
            arguments.Add<float>("weights", KernelBufferRole.Output, rows * k);
        },
        Reference = arguments =>
        {
            int experts = arguments.Shape["experts"], k = arguments.Shape["k"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
            {
                ExpertRoutingReference.Row(
                    arguments.Row("logits", row, experts), renormalize, arguments.Ints("chosen").Slice(row * k, k),
                    arguments.Row("weights", row, k));
            }
        },
        Simd = (level, arguments) =>
        {
            int experts = arguments.Shape["experts"], k = arguments.Shape["k"];
            for (var row = 0; row < arguments.Shape["rows"]; row++)
            {
                ExpertRouting.Row(
                    level, arguments.Row("logits", row, experts), renormalize, arguments.Ints("chosen").Slice(row * k, k),
                    arguments.Row("weights", row, k));
            }
        },
    };

    private static KernelShape Of(int rows, int experts, int k) => new(("rows", rows), ("experts", experts), ("k", k));
}
