using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels.Rotary;

/// <summary>Catalog entries of <see cref="RotaryEmbedding"/>.</summary>
public static class RotaryCase
{
    private const double FrequencyBase = 10_000;

    /// <summary>Pairs of neighbors.</summary>
    public static KernelOperation Adjacent { get; } = Create(RotaryStyle.Adjacent);

    /// <summary>Pairs half the rotated dimensions apart.</summary>
    public static KernelOperation Halves { get; } = Create(RotaryStyle.Halves);

    private static KernelOperation Create(RotaryStyle style) => new()
    {
        Name = $"RotaryEmbedding.{style}",
        Definition = "(a, b) becomes (a·cos - b·sin, a·sin + b·cos)",
        Shapes =
        [
            Of(0, 2, 64, 64), Of(1, 1, 2, 2), Of(1, 1, 6, 0), Of(1, 3, 10, 6), Of(3, 2, 22, 22), Of(2, 4, 62, 34), Of(5, 8, 64, 64),
            Of(2, 5, 80, 32), Of(3, 4, 96, 96), Of(4, 2, 100, 98), Of(64, 32, 128, 128),
        ],
        Tolerance = 1e-13,
        ToleranceReason = "Three float roundings (6e-8 each) a value.",
        BytesMoved = shape => 8L * shape["tokens"] * shape["heads"] * shape["rotated"] + 4L * shape["tokens"] * shape["rotated"],
        OperationCount = shape => 3L * shape["tokens"] * shape["heads"] * shape["rotated"],
        Fill = arguments =>
        {
            var shape = arguments.Shape;
            int tokens = shape["tokens"], pairs = shape["rotated"] / 2;
            arguments.AddNoise("heads", tokens * shape["heads"] * shape["headLength"], role: KernelBufferRole.InputOutput);
            var cosine = arguments.Add<float>("cosine", KernelBufferRole.Input, tokens * pairs);
            var sine = arguments.Add<float>("sine", KernelBufferRole.Input, tokens * pairs);
            if (pairs == 0) return;
            var frequencies = RotaryFrequencies.Create(2 * pairs, FrequencyBase);
            for (var token = 0; token < tokens; token++)
                frequencies.Fill(token * 37, cosine.Slice(token * pairs, pairs), sine.Slice(token * pairs, pairs));
        },
        Reference = arguments =>
        {
            var shape = arguments.Shape;
            int heads = shape["heads"], length = shape["headLength"], rotated = shape["rotated"];
            for (var head = 0; head < shape["tokens"] * heads; head++)
            {
                RotaryReference.Head(
                    arguments.Row("heads", head, length), arguments.Row("cosine", head / heads, rotated / 2),
                    arguments.Row("sine", head / heads, rotated / 2), rotated, style);
            }
        },
        Simd = (level, arguments) =>
        {
            var shape = arguments.Shape;
            int length = shape["headLength"], rotated = shape["rotated"];
            for (var token = 0; token < shape["tokens"]; token++)
            {
                RotaryEmbedding.Row(
                    level, arguments.Row("heads", token, shape["heads"] * length), length, arguments.Row("cosine", token, rotated / 2),
                    arguments.Row("sine", token, rotated / 2), rotated, style);
            }
        },
    };

    private static KernelShape Of(int tokens, int heads, int headLength, int rotated) =>
        new(("tokens", tokens), ("heads", heads), ("headLength", headLength), ("rotated", rotated));
}
