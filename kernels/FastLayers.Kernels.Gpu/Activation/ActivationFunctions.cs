using FastLayers.Kernels.Gpu.Elementwise;
using ILGPU;

namespace FastLayers.Kernels.Gpu.Activation;

/// <summary>
/// Elementary functions that devices lack or have only coarse: the polynomials of the CPU kernels (LaneMath), so that results agree with them
/// within their error bounds on every device. These kernels wait for memory; the few multiplications more cost nothing.
/// </summary>
internal static class ElementaryFunctions
{
    // exp: x = n·ln 2 + r. ln 2 is split so that n·Ln2High is exact for |n| < 2^14 without a fused multiply-add too.
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // Above 89 the result overflows; at -87.3 n is -126, for which the scale below is built as exactly 0.
    private const float ExpHighest = 89f;
    private const float ExpLowest = -87.3f;

    // 1.5 · 2^23: added and taken away again, it leaves the nearest integer.
    private const float Rounder = 12582912f;

    // Below this, tanh by its odd polynomial; above, by exp, which would cancel for smaller arguments.
    private const float TanhSplit = 0.6f;

    // Maps [0, ∞) to (0, 1] so that one polynomial fits the normal tail well.
    private const float TailShrink = 0.34375f;

    /// <summary>eˣ within 1e-7 relative error; ∞ above 88.73, 0 below -86.98, NaN for NaN.</summary>
    public static float Exp(float x)
    {
        float held = x < ExpLowest ? ExpLowest : x;
        if (held > ExpHighest) held = ExpHighest;
        float n = ((held * Log2E) + Rounder) - Rounder;
        float r = (held - (n * Ln2High)) - (n * Ln2Low);

        // e^r = 1 + r + r²·q(r), |r| ≤ ln 2 / 2, error of the fit 3e-9.
        float q = (0.001381455921f * r) + 0.008368735202f;
        q = (q * r) + 0.04166838899f;
        q = (q * r) + 0.1666652113f;
        q = (q * r) + 0.4999999404f;
        float power = ((r * r * q) + r) + 1;

        // 2 · 2^(n-1): n reaches 128, the exponent of a finite float only 127; doubling first keeps the product out of the denormals.
        int exponent = (int)n - 1 + 127;
        return (power + power) * Interop.IntAsFloat((uint)(exponent << 23));
    }

    /// <summary>tanh x; ±1 for ±∞, NaN for NaN, -0 for -0.</summary>
    public static float Tanh(float x)
    {
        float magnitude = MathF.Abs(x);
        if (magnitude < TanhSplit)
        {
            // tanh x = x + x·t·p(t), t = x², error of the fit 3e-9.
            float t = x * x;
            float p = (-0.005905872211f * t) + 0.02080538869f;
            p = (p * t) - 0.05378668383f;
            p = (p * t) + 0.1333195865f;
            p = (p * t) - 0.3333329856f;
            return (x * t * p) + x;
        }

        float large = 1 - (2 / (Exp(magnitude + magnitude) + 1));
        return x < 0 ? -large : large;
    }

    /// <summary>Φ(-a) = erfc(a/√2) / 2 for <paramref name="a"/> ≥ 0, without the cancellation of 1 - erf.</summary>
    public static float NormalTail(float a)
    {
        float t = 1 / ((a * TailShrink) + 1);

        // Φ(-a) = e^(-a²/2)·t·p(t), t = 1 / (1 + TailShrink·a), error of the fit 2e-8 up to a = 13.25.
        float p = (-0.02817371301f * t) + 0.1455237269f;
        p = (p * t) - 0.2749716341f;
        p = (p * t) + 0.1944141984f;
        p = (p * t) - 0.04155854136f;
        p = (p * t) + 0.1135482416f;
        p = (p * t) + 0.1165301427f;
        p = (p * t) + 0.137569353f;
        p = (p * t) + 0.1371182203f;
        return Exp(a * a * -0.5f) * t * p;
    }
}

/// <summary>act(gate) · up.</summary>
internal readonly struct Gated<TActivation> : IElementFunction2
    where TActivation : struct, IElementFunction
{
    public float Invoke(float x, float y, float parameter) => default(TActivation).Invoke(x, parameter) * y;
}

/// <summary>x / (1 + e^-x). The numerator is kept finite, so that -∞ gives -0 and not ∞/∞.</summary>
internal readonly struct SiluOf : IElementFunction
{
    public float Invoke(float x, float parameter)
    {
        float finite = x < float.MinValue ? float.MinValue : x;
        return finite / (ElementaryFunctions.Exp(-finite) + 1);
    }
}

/// <summary>x · Φ(x) written as max(0, x) - |x| · Φ(-|x|), in which nothing cancels for negative x.</summary>
internal readonly struct GeluErfOf : IElementFunction
{
    // Beyond it the tail is 0; |x| is held there, so that ∞ is not multiplied with 0.
    private const float TailEnd = 16;

    public float Invoke(float x, float parameter)
    {
        float magnitude = MathF.Abs(x);
        if (magnitude > TailEnd) magnitude = TailEnd;
        return (x > 0 ? x : 0) - (magnitude * ElementaryFunctions.NormalTail(magnitude));
    }
}

/// <summary>x/2 · (1 + tanh u) written as x / (1 + e^-2u), u = √(2/π)·(x + 0.044715·x³): the same function, one exponential, no cancellation.</summary>
internal readonly struct GeluTanhOf : IElementFunction
{
    // -2·√(2/π), and that times 0.044715.
    private const float Linear = -1.59576912f;
    private const float Cubic = -0.0713548163f;

    public float Invoke(float x, float parameter)
    {
        float finite = x < float.MinValue ? float.MinValue : x;
        float slope = (finite * finite * Cubic) + Linear;
        return finite / (ElementaryFunctions.Exp(finite * slope) + 1);
    }
}

/// <summary>max(0, x).</summary>
internal readonly struct ReluOf : IElementFunction
{
    public float Invoke(float x, float parameter) => x < 0 ? 0 : x;
}

/// <summary>max(0, x)².</summary>
internal readonly struct ReluSquaredOf : IElementFunction
{
    public float Invoke(float x, float parameter) => x < 0 ? 0 : x * x;
}

/// <summary>tanh x.</summary>
internal readonly struct TanhOf : IElementFunction
{
    public float Invoke(float x, float parameter) => ElementaryFunctions.Tanh(x);
}

/// <summary>cap · tanh(x / cap); the parameter is the cap.</summary>
internal readonly struct SoftcapOf : IElementFunction
{
    public float Invoke(float x, float parameter) => ElementaryFunctions.Tanh(x / parameter) * parameter;
}
