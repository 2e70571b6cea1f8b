namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The functions of a transformer on double vectors.</summary>
internal static class ReferenceMath
{
    public static double[] Add(double[] left, double[] right) => [.. left.Zip(right, (a, b) => a + b)];

    public static double[] Multiply(double[] left, double[] right) => [.. left.Zip(right, (a, b) => a * b)];

    public static double[] RmsNorm(ReadOnlySpan<double> input, float[] weight, double epsilon)
    {
        double squares = 0;
        foreach (var value in input) squares += value * value;
        var scale = 1 / Math.Sqrt(squares / input.Length + epsilon);
        var output = new double[input.Length];
        for (var i = 0; i < output.Length; i++) output[i] = input[i] * scale * weight[i];
        return output;
    }

    public static double[] LayerNorm(double[] input, float[] weight, float[] bias, double epsilon)
    {
        var mean = input.Average();
        var variance = input.Sum(value => (value - mean) * (value - mean)) / input.Length;
        var scale = 1 / Math.Sqrt(variance + epsilon);
        var output = new double[input.Length];
        for (var i = 0; i < output.Length; i++) output[i] = (input[i] - mean) * scale * weight[i] + bias[i];
        return output;
    }

    public static double[] Softmax(double[] scores)
    {
        var largest = scores.Max();
        var exponentials = scores.Select(score => Math.Exp(score - largest)).ToArray();
        var sum = exponentials.Sum();
        return [.. exponentials.Select(value => value / sum)];
    }

    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    public static double GeluTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

    public static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>Squashes values into (-cap, cap); no cap at 0.</summary>
    public static double SoftCap(double x, double cap) => cap == 0 ? x : cap * Math.Tanh(x / cap);

    /// <summary>The error function: its Taylor series near 0, and the limit beyond the reach of a double's digits.</summary>
    public static double Erf(double x)
    {
        // Beyond 6, 1 - erf(x) is below 2^-53. Terms up to there stay below e^36, so the alternating series would cancel: the
        // series with e^(-x²) in front has only positive terms.
        if (Math.Abs(x) >= 6) return Math.Sign(x);
        double term = x, sum = x;
        for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
