namespace FastLayers.Kernels.Activation;

/// <summary>The definitions of <see cref="Activations"/> in double precision.</summary>
public static class ActivationReference
{
    /// <summary>act(x).</summary>
    public static double Value(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Silu => Gate(x, x),
        ActivationKind.GeluErf => double.IsNegativeInfinity(x) ? 0 : 0.5 * x * ErrorFunction.Erfc(-x / Math.Sqrt(2)),
        ActivationKind.GeluTanh => Gate(x, 2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)),
        ActivationKind.Relu => x < 0 ? 0 : x,
        ActivationKind.ReluSquared => x < 0 ? 0 : x * x,
        ActivationKind.Tanh => Math.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Expected a defined activation."),
    };

    /// <summary>y[i] = act(x[i]).</summary>
    public static void Row(ActivationKind kind, ReadOnlySpan<float> x, Span<float> y)
    {
        for (var i = 0; i < x.Length; i++) y[i] = (float)Value(kind, x[i]);
    }

    /// <summary>y[i] = act(gate[i]) · up[i].</summary>
    public static void GatedRow(ActivationKind kind, ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> y)
    {
        for (var i = 0; i < gate.Length; i++) y[i] = (float)(Value(kind, gate[i]) * up[i]);
    }

    /// <summary>x / (1 + e^-u), 0 in the limit of -∞. With u = 2v it is x/2 · (1 + tanh v).</summary>
    private static double Gate(double x, double u) => double.IsNegativeInfinity(x) ? 0 : x / (1 + Math.Exp(-u));
}
