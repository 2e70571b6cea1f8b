using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Simd;

/// <summary>exp, tanh and erf on lanes against double precision, on floats of every magnitude.</summary>
public sealed class LaneMathTests
{
    // Prime, so that all mantissas and signs take part: about two million floats.
    private const uint Stride = 2_003;

    private static readonly float[] AllMagnitudes = Floats();

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Exp_is_within_1e_7(SimdLevel level)
    {
        var x = Array.FindAll(AllMagnitudes, value => value is > -86.98f and < 88.72f).Concat(Even(-86.98f, 88.72f, 1_000_000)).ToArray();
        Assert.InRange(WorstRelativeError(x, LaneFunctions.Exp(level, x), Math.Exp), 1e-9, 1e-7);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Exp_ends_in_zero_and_infinity(SimdLevel level)
    {
        float[] x = [-87.5f, -88, -104, -1e10f, float.MinValue, float.NegativeInfinity, 88.8f, 89, 200, float.MaxValue, float.PositiveInfinity, float.NaN, 0, -0f];
        var inf = float.PositiveInfinity;
        Assert.Equal([0, 0, 0, 0, 0, 0, inf, inf, inf, inf, inf, float.NaN, 1, 1], LaneFunctions.Exp(level, x));
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Exp_drops_only_results_under_the_stated_bound(SimdLevel level)
    {
        var x = Even(-110, -86, 200_000);
        var y = LaneFunctions.Exp(level, x);
        for (var i = 0; i < x.Length; i++) Assert.InRange(Math.Abs(y[i] - Math.Exp(x[i])), 0, 1.7e-38);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Tanh_is_within_2e_7(SimdLevel level)
    {
        var x = Array.FindAll(AllMagnitudes, value => Math.Abs(value) > 1e-37f).Concat(Even(-10, 10, 1_000_000)).ToArray();
        Assert.InRange(WorstRelativeError(x, LaneFunctions.Tanh(level, x), Math.Tanh), 1e-9, 2e-7);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Tanh_keeps_signs_limits_and_NaN(SimdLevel level)
    {
        float[] x = [float.NegativeInfinity, -100, -0f, 0, 100, float.PositiveInfinity, float.NaN];
        var y = LaneFunctions.Tanh(level, x);
        Assert.Equal([-1, -1, -0f, 0, 1, 1, float.NaN], y);
        Assert.True(float.IsNegative(y[2]) && !float.IsNegative(y[3]));
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Normal_tail_is_within_its_bound(SimdLevel level)
    {
        var x = Array.FindAll(AllMagnitudes, value => value is >= 0 and < 13).Concat(Even(0, 13, 1_000_000)).ToArray();
        var y = LaneFunctions.NormalTail(level, x);
        for (var i = 0; i < x.Length; i++)
        {
            var expected = ErrorFunction.Erfc(x[i] / Math.Sqrt(2)) / 2;
            Assert.InRange(Math.Abs(y[i] - expected) / expected, 0, 1e-7 * (4 + x[i] * x[i]));
        }

        Assert.Equal([0.5f, 0, 0, float.NaN], LaneFunctions.NormalTail(level, [0, 14, 1e30f, float.NaN]));
    }

    // Values to 17 digits from an arbitrary-precision library.
    [Theory]
    [InlineData(double.NegativeInfinity, 2)]
    [InlineData(-5.9, 1.9999999999999999)]
    [InlineData(-1, 1.8427007929497149)]
    [InlineData(0, 1.0)]
    [InlineData(1e-10, 0.99999999988716208)]
    [InlineData(0.5, 0.47950012218695346)]
    [InlineData(1, 0.15729920705028513)]
    [InlineData(1.99, 0.004888586800383003)]
    [InlineData(2, 0.0046777349810472658)]
    [InlineData(2.01, 0.0044751506447517629)]
    [InlineData(3.75, 1.1372725656979665e-7)]
    [InlineData(6, 2.1519736712498913e-17)]
    [InlineData(10, 2.0884875837625448e-45)]
    [InlineData(26, 5.6631924088561428e-296)]
    [InlineData(double.PositiveInfinity, 0)]
    public void Double_precision_erfc_is_right(double x, double expected) =>
        Assert.Equal(expected, ErrorFunction.Erfc(x), 1e-13 * Math.Abs(expected));

    private static double WorstRelativeError(float[] x, float[] y, Func<double, double> definition)
    {
        double worst = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var expected = definition(x[i]);
            var error = Math.Abs(y[i] - expected) / Math.Abs(expected);
            if (expected != 0 && !(error <= worst)) worst = error;
        }

        return worst;
    }

    private static float[] Floats()
    {
        var values = new List<float>();
        for (ulong bits = 0; bits <= uint.MaxValue; bits += Stride)
        {
            var value = BitConverter.UInt32BitsToSingle((uint)bits);
            if (float.IsFinite(value)) values.Add(value);
        }

        return [.. values];
    }

    private static float[] Even(float low, float high, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(low + (high - low) * (i / (double)(count - 1))))];
}
