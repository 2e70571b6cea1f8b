using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Activation;

/// <summary>
/// Elementwise nonlinearities, plain and gated. +∞ gives the limit of the function and so does -∞ (0 or -1); NaN gives NaN.
/// Bound by arithmetic in L1 (about 2 exponentials a nanosecond at 256 bit), by reading beyond.
/// </summary>
public static unsafe class Activations
{
    /// <summary>y[i] = act(x[i]).</summary>
    /// <param name="kind">The function.</param>
    /// <param name="x">The row.</param>
    /// <param name="y">Receives the result; may be <paramref name="x"/> itself.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps x in part.</exception>
    public static void Row(ActivationKind kind, ReadOnlySpan<float> x, Span<float> y) => Row(SimdDispatch.Level, kind, x, y);

    /// <summary>y[i] = act(gate[i]) · up[i], the gated form of feed-forward blocks (Shazeer, arXiv:2002.05202).</summary>
    /// <param name="kind">The function.</param>
    /// <param name="gate">The row that goes through the function.</param>
    /// <param name="up">The row that it is multiplied with.</param>
    /// <param name="y">Receives the result; may be <paramref name="gate"/> or <paramref name="up"/> itself.</param>
    /// <exception cref="ArgumentException">Lengths differ, or y overlaps an input in part.</exception>
    public static void GatedRow(ActivationKind kind, ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> y) =>
        GatedRow(SimdDispatch.Level, kind, gate, up, y);

    internal static void Row(SimdLevel level, ActivationKind kind, ReadOnlySpan<float> x, Span<float> y) =>
        RowKernel.Run<ActivationSimd, ActivationKind>(nameof(Activations), level, x, kind, y);

    internal static void GatedRow(SimdLevel level, ActivationKind kind, ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> y)
    {
        RowArguments.RequireLength(nameof(Activations), gate.Length, up.Length, nameof(up));
        RowArguments.RequireLength(nameof(Activations), gate.Length, y.Length, nameof(y));
        RowArguments.RequireSameOrApart(nameof(Activations), gate, y, nameof(y));
        RowArguments.RequireSameOrApart(nameof(Activations), up, y, nameof(y));
        fixed (float* gates = gate, ups = up, result = y)
        {
            switch (level)
            {
                case SimdLevel.V128: ActivationSimd.GatedRow<Lanes128>(kind, gates, ups, result, gate.Length); break;
                case SimdLevel.V256: ActivationSimd.GatedRow<Lanes256>(kind, gates, ups, result, gate.Length); break;
                case SimdLevel.V512: ActivationSimd.GatedRow<Lanes512>(kind, gates, ups, result, gate.Length); break;
                default: RowArguments.ThrowLevel(level); break;
            }
        }
    }
}
