using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.Activation;

public sealed class ActivationLimitsTests
{
    public static IEnumerable<TheoryDataRow<ActivationKind, SimdLevel>> Kinds =>
        from kind in Enum.GetValues<ActivationKind>()
        from level in Enum.GetValues<SimdLevel>()
        select new TheoryDataRow<ActivationKind, SimdLevel>(kind, level);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Infinities_give_limits_and_NaN_stays(ActivationKind kind, SimdLevel level)
    {
        float[] x = [float.NegativeInfinity, float.MinValue, -1e4f, 0, float.PositiveInfinity, float.NaN];
        var bounded = kind == ActivationKind.Tanh;
        float lowest = bounded ? -1 : 0, highest = bounded ? 1 : float.PositiveInfinity;
        var y = new float[x.Length];
        Activations.Row(level, kind, x, y);
        Assert.Equal([lowest, lowest, lowest, 0, highest, float.NaN], y);
        for (var i = 0; i < x.Length; i++) Assert.Equal(y[i], (float)ActivationReference.Value(kind, x[i]));
    }

    /// <summary>Relative error over the range in which the functions are not linear; the catalog only bounds the mean square.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_value_is_close(ActivationKind kind, SimdLevel level)
    {
        float[] x = [.. Enumerable.Range(0, 200_001).Select(i => (i - 100_000) * 1e-4f)], y = new float[x.Length];
        Activations.Row(level, kind, x, y);
        for (var i = 0; i < x.Length; i++)
        {
            // e^u with a rounded u is off by 6e-8·|u|: x² / 2 for one GELU, up to 0.0714·|x|³ + 1.6·|x| for the other.
            var growth = kind is ActivationKind.GeluErf or ActivationKind.GeluTanh ? 5 + Math.Abs(x[i] * x[i] * x[i]) : 4 + Math.Abs(x[i]);
            var expected = ActivationReference.Value(kind, x[i]);
            Assert.InRange(Math.Abs(y[i] - expected), 0, 1e-7 * growth * Math.Abs(expected) + 1e-37);
        }
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Softcap_stays_below_the_cap_and_leaves_small_values(SimdLevel level)
    {
        float[] x = [float.NegativeInfinity, -1e6f, -0.01f, 0, 0.01f, 50, 1e6f, float.PositiveInfinity, float.NaN], y = new float[x.Length];
        Softcap.Row(level, x, 50, y);
        Assert.Equal([-50, -50, y[2], 0, y[4], y[5], 50, 50, float.NaN], y);
        Assert.Equal(-0.01f, y[2], 1e-8f);
        Assert.Equal(0.01f, y[4], 1e-8f);
        Assert.Equal(50 * MathF.Tanh(1), y[5], 1e-5f);
    }

    [Fact]
    public void Undefined_kind_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Activations.Row((ActivationKind)99, [1f], new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Activations.GatedRow((ActivationKind)99, [1f], [1f], new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ActivationReference.Value((ActivationKind)99, 1));
    }
}
