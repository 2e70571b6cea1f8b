using System.Runtime.CompilerServices;

namespace FastLayers.Kernels.Simd;

/// <summary>
/// Elementary functions on lanes, by polynomials without branches. The coefficients are minimax fits (Remez exchange in 50 digits)
/// rounded to float; the error bounds below are checked against <see cref="Math"/> over the whole range.
/// </summary>
internal static class LaneMath
{
    // exp: x = n·ln 2 + r. ln 2 is split so that n·Ln2High is exact for |n| < 2^14 without a fused multiply-add too.
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // Above 89 the result overflows; at -87.3 n is -126, for which the scale below is built as exactly 0.
    private const float ExpHighest = 89f;
    private const float ExpLowest = -87.3f;

    // Below this, tanh by its odd polynomial; above, by exp, which would cancel for smaller arguments.
    private const float TanhSplit = 0.6f;

    // Maps [0, ∞) to (0, 1] so that one polynomial fits the normal tail well; found by trial.
    private const float TailShrink = 0.34375f;

    /// <summary>
    /// eˣ within 1e-7 relative error; ∞ above 88.73, 0 below -86.98 (where results fall under 1.7e-38), NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Exp<TLanes>(TLanes x) where TLanes : unmanaged, ILanes<TLanes>
    {
        x = TLanes.Min(TLanes.Broadcast(ExpHighest), TLanes.Max(TLanes.Broadcast(ExpLowest), x));
        var n = TLanes.Round(TLanes.Multiply(x, TLanes.Broadcast(Log2E)));
        var r = TLanes.MultiplyAdd(n, TLanes.Broadcast(-Ln2High), x);
        r = TLanes.MultiplyAdd(n, TLanes.Broadcast(-Ln2Low), r);

        // e^r = 1 + r + r²·q(r), |r| ≤ ln 2 / 2, error of the fit 3e-9.
        var q = TLanes.MultiplyAdd(TLanes.Broadcast(0.001381455921f), r, TLanes.Broadcast(0.008368735202f));
        q = TLanes.MultiplyAdd(q, r, TLanes.Broadcast(0.04166838899f));
        q = TLanes.MultiplyAdd(q, r, TLanes.Broadcast(0.1666652113f));
        q = TLanes.MultiplyAdd(q, r, TLanes.Broadcast(0.4999999404f));
        var power = TLanes.Add(TLanes.MultiplyAdd(TLanes.Multiply(r, r), q, r), TLanes.Broadcast(1f));

        // 2 · 2^(n-1): n reaches 128, the exponent of a finite float only 127; doubling first keeps the product out of the denormals.
        return TLanes.Multiply(TLanes.Add(power, power), TLanes.PowerOfTwo(TLanes.Subtract(n, TLanes.Broadcast(1f))));
    }

    /// <summary>tanh x within 2e-7 relative error; ±1 for ±∞, NaN for NaN, -0 for -0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Tanh<TLanes>(TLanes x) where TLanes : unmanaged, ILanes<TLanes>
    {
        var magnitude = TLanes.Abs(x);
        var one = TLanes.Broadcast(1f);
        var power = Exp(TLanes.Add(magnitude, magnitude));
        var large = TLanes.Subtract(one, TLanes.Divide(TLanes.Broadcast(2f), TLanes.Add(power, one)));

        // tanh x = x + x·t·p(t), t = x², error of the fit 3e-9.
        var t = TLanes.Multiply(x, x);
        var p = TLanes.MultiplyAdd(TLanes.Broadcast(-0.005905872211f), t, TLanes.Broadcast(0.02080538869f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(-0.05378668383f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.1333195865f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(-0.3333329856f));
        var small = TLanes.MultiplyAdd(TLanes.Multiply(magnitude, t), p, magnitude);

        return TLanes.CopySign(TLanes.Select(TLanes.LessThan(magnitude, TLanes.Broadcast(TanhSplit)), small, large), x);
    }

    /// <summary>
    /// Φ(-a) = erfc(a/√2) / 2, the share of the normal distribution beyond <paramref name="a"/> ≥ 0, within 1e-7·(4 + a²) relative error:
    /// without the cancellation of 1 - erf. 0 above 13.2, NaN for NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes NormalTail<TLanes>(TLanes a) where TLanes : unmanaged, ILanes<TLanes>
    {
        var one = TLanes.Broadcast(1f);
        var t = TLanes.Divide(one, TLanes.MultiplyAdd(a, TLanes.Broadcast(TailShrink), one));

        // Φ(-a) = e^(-a²/2)·t·p(t), t = 1 / (1 + TailShrink·a), error of the fit 2e-8 up to a = 13.25.
        var p = TLanes.MultiplyAdd(TLanes.Broadcast(-0.02817371301f), t, TLanes.Broadcast(0.1455237269f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(-0.2749716341f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.1944141984f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(-0.04155854136f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.1135482416f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.1165301427f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.137569353f));
        p = TLanes.MultiplyAdd(p, t, TLanes.Broadcast(0.1371182203f));
        var density = Exp(TLanes.Multiply(TLanes.Multiply(a, a), TLanes.Broadcast(-0.5f)));
        return TLanes.Multiply(TLanes.Multiply(density, t), p);
    }
}
