using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Normalize;
using FastLayers.Kernels.Rotary;
using FastLayers.Kernels.Selection;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance;

/// <summary>Wrong lengths and partial overlaps are refused, exact overlaps allowed.</summary>
public sealed class ArgumentTests
{
    private static readonly float[] Memory = new float[64];

    public static IEnumerable<TheoryDataRow<string>> Kernels => Calls.Keys.Select(name => new TheoryDataRow<string>(name));

    private delegate void Call(ReadOnlySpan<float> x, Span<float> y);

    private static Dictionary<string, Call> Calls { get; } = new()
    {
        ["RmsNorm"] = (x, y) => RmsNorm.Row(x, default, 1e-5f, y),
        ["RmsNorm weight"] = (x, y) => RmsNorm.Row(y, x, 1e-5f, y),
        ["LayerNorm"] = (x, y) => LayerNorm.Row(x, default, default, 1e-5f, y),
        ["LayerNorm weight"] = (x, y) => LayerNorm.Row(y, x, default, 1e-5f, y),
        ["LayerNorm bias"] = (x, y) => LayerNorm.Row(y, new float[y.Length], x, 1e-5f, y),
        ["L2Normalize"] = (x, y) => L2Normalize.Row(x, 1e-12f, y),
        ["Activations"] = (x, y) => Activations.Row(ActivationKind.Silu, x, y),
        ["Activations gate"] = (x, y) => Activations.GatedRow(ActivationKind.Silu, x, y, y),
        ["Activations up"] = (x, y) => Activations.GatedRow(ActivationKind.Silu, y, x, y),
        ["Softcap"] = (x, y) => Softcap.Row(x, 30, y),
        ["Softmax"] = (x, y) => Softmax.Row(x, 1, y),
        ["RowArithmetic add"] = RowArithmetic.Add,
        ["RowArithmetic addScaled"] = (x, y) => RowArithmetic.AddScaled(2, x, y),
    };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Row_kernels_check_their_arguments(string name)
    {
        var call = Calls[name];
        call(Memory.AsSpan(0, 16), Memory.AsSpan(0, 16));
        call(Memory.AsSpan(0, 16), Memory.AsSpan(16, 16));
        Assert.Throws<ArgumentException>(() => call(Memory.AsSpan(0, 16), Memory.AsSpan(1, 16)));
        Assert.Throws<ArgumentException>(() => call(Memory.AsSpan(1, 16), Memory.AsSpan(0, 16)));
        var message = Assert.Throws<ArgumentException>(() => call(Memory.AsSpan(0, 17), Memory.AsSpan(32, 16))).Message;
        Assert.StartsWith(name.Split(' ')[0] + ":", message, StringComparison.Ordinal);
        Assert.Contains("16", message, StringComparison.Ordinal);
        Assert.Contains("17", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bias_of_a_layer_norm_needs_a_weight() =>
        Assert.Throws<ArgumentException>(() => LayerNorm.Row(new float[4], default, new float[4], 1e-5f, new float[4]));

    [Fact]
    public void Row_bias_must_fit_the_rows_and_lie_apart()
    {
        Assert.Throws<ArgumentException>(() => RowArithmetic.AddBias(new float[3], new float[4]));
        Assert.Throws<ArgumentException>(() => RowArithmetic.AddBias([], new float[4]));
        Assert.Throws<ArgumentException>(() => RowArithmetic.AddBias(Memory.AsSpan(0, 4), Memory.AsSpan(0, 8)));
        RowArithmetic.AddBias([], []);
    }

    [Fact]
    public void Rotation_checks_heads_and_tables()
    {
        float[] heads = new float[8], two = new float[2], three = new float[3];
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 3, two, two, 2, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 0, two, two, 2, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 4, three, three, 6, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 4, two, two, 3, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 4, three, two, 4, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 4, two, three, 4, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 4, heads.AsSpan(0, 2), two, 4, RotaryStyle.Halves));
        Assert.Throws<ArgumentException>(() => RotaryEmbedding.Row(heads, 4, two, heads.AsSpan(6, 2), 4, RotaryStyle.Halves));
        Assert.Throws<ArgumentOutOfRangeException>(() => RotaryEmbedding.Row(heads, 4, two, two, 4, (RotaryStyle)7));
    }

    [Fact]
    public void Selections_check_their_results()
    {
        Assert.Throws<ArgumentException>(() => TopK.Row(new float[4], new int[2], new float[3]));
        Assert.Throws<ArgumentException>(() => TopK.Row(Memory.AsSpan(0, 4), new int[4], Memory.AsSpan(0, 4)));
        Assert.Throws<ArgumentException>(() => ExpertRouting.Row(new float[4], true, new int[2], new float[3]));
    }

    [Fact]
    public void Undefined_level_is_refused()
    {
        const SimdLevel none = 0;
        float[] x = new float[4], y = new float[4];
        Assert.Throws<ArgumentOutOfRangeException>(() => RmsNorm.Row(none, x, default, 1e-5f, y));
        Assert.Throws<ArgumentOutOfRangeException>(() => Softmax.Row(none, x, 1, y));
        Assert.Throws<ArgumentOutOfRangeException>(() => ArgMax.Row(none, x));
    }
}
