namespace FastLayers.Kernels.Activation;

/// <summary>The complementary error function in double precision, which <see cref="Math"/> lacks.</summary>
public static class ErrorFunction
{
    // The series loses digits to 1 - erf above it, the fraction converges slowly below.
    private const double Split = 2;

    // Enough for full precision from Split on.
    private const int FractionDepth = 120;

    /// <summary>erfc x = 2/√π ∫ₓ^∞ e^(-t²) dt within 1e-13 relative error; 2 for -∞, 0 for ∞, NaN for NaN.</summary>
    public static double Erfc(double x) => x < 0 ? 2 - Erfc(-x) : x < Split ? 1 - Series(x) : Fraction(x);

    /// <summary>erf x as 2/√π·e^(-x²)·Σ 2ⁿx^(2n+1)/(1·3·…·(2n+1)) (Abramowitz and Stegun 7.1.6).</summary>
    private static double Series(double x)
    {
        double term = x, sum = x;
        for (var n = 1; term > sum * 1e-17; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>erfc x as e^(-x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))) (Abramowitz and Stegun 7.1.14).</summary>
    private static double Fraction(double x)
    {
        var denominator = x;
        for (var k = FractionDepth; k > 0; k--) denominator = x + k / 2.0 / denominator;
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / denominator;
    }
}
