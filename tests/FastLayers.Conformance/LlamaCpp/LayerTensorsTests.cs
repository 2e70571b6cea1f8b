using System.Runtime.InteropServices;
using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Normalize;
using FastLayers.Kernels.Rotary;
using FastLayers.Kernels.Simd;

namespace FastLayers.Conformance.LlamaCpp;

/// <summary>The kernels against intermediate tensors of a llama.cpp forward pass (data/llama.cpp/SOURCE.md).</summary>
public sealed class LayerTensorsTests
{
    private const int Tokens = 32;
    private const int HeadLength = 16;
    private const int Columns = 64;

    // Values reach about 10; llama.cpp computes in float too.
    private const float Tolerance = 2e-6f;

    [Theory]
    [InlineData("q_proj-0", "q_rope-0", SimdLevel.V128)]
    [InlineData("q_proj-0", "q_rope-0", SimdLevel.V256)]
    [InlineData("q_proj-0", "q_rope-0", SimdLevel.V512)]
    [InlineData("k_proj-0", "k_rope-0", SimdLevel.V128)]
    [InlineData("k_proj-0", "k_rope-0", SimdLevel.V256)]
    [InlineData("k_proj-0", "k_rope-0", SimdLevel.V512)]
    public void Rotation_matches(string before, string after, SimdLevel level)
    {
        var heads = Read(before);
        var columns = heads.Length / Tokens;
        var frequencies = RotaryFrequencies.Create(HeadLength, 10_000);
        float[] cosine = new float[HeadLength / 2], sine = new float[HeadLength / 2];
        for (var token = 0; token < Tokens; token++)
        {
            frequencies.Fill(token, cosine, sine);
            RotaryEmbedding.Row(
                level, heads.AsSpan(token * columns, columns), HeadLength, cosine, sine, HeadLength, RotaryStyle.Adjacent);
        }

        AssertClose(Read(after), heads);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Causal_softmax_matches(SimdLevel level)
    {
        var scores = Read("kq-0");
        var expected = Read("kq_soft_max-0");
        for (var row = 0; row < scores.Length / Tokens; row++)
        {
            var visible = row % Tokens + 1;
            Softmax.Row(level, scores.AsSpan(row * Tokens, visible), 0.25f, scores.AsSpan(row * Tokens, visible));
            scores.AsSpan(row * Tokens + visible, Tokens - visible).Clear();
        }

        AssertClose(expected, scores);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Gated_silu_matches(SimdLevel level)
    {
        var gate = Read("ffn_gate-0");
        Activations.GatedRow(level, ActivationKind.Silu, gate, Read("ffn_up-0"), gate);
        AssertClose(Read("ffn_swiglu-0"), gate);
    }

    [Theory]
    [InlineData(SimdLevel.V128)]
    [InlineData(SimdLevel.V256)]
    [InlineData(SimdLevel.V512)]
    public void Residual_addition_matches_to_the_bit(SimdLevel level)
    {
        var residual = Read("ffn_inp-0");
        RowArithmetic.Add(level, Read("ffn_out-0"), residual);
        Assert.Equal(Read("l_out-0"), residual);
    }

    /// <summary>The weight is not among the tensors: the first row gives it, the others must agree.</summary>
    [Theory]
    [InlineData("ffn_inp-0", "ffn_norm-0", SimdLevel.V128)]
    [InlineData("ffn_inp-0", "ffn_norm-0", SimdLevel.V256)]
    [InlineData("l_out-0", "attn_norm-1", SimdLevel.V256)]
    [InlineData("l_out-0", "attn_norm-1", SimdLevel.V512)]
    public void Rms_norm_matches(string before, string after, SimdLevel level)
    {
        float[] x = Read(before), expected = Read(after), weight = new float[Columns];
        RmsNorm.Row(level, x.AsSpan(0, Columns), default, 1e-5f, weight);
        for (var i = 0; i < Columns; i++) weight[i] = expected[i] / weight[i];
        Assert.All(weight, value => Assert.InRange(value, 0.5f, 1.5f));
        for (var token = 0; token < Tokens; token++)
        {
            var row = x.AsSpan(token * Columns, Columns);
            RmsNorm.Row(level, row, weight, 1e-5f, row);
        }

        AssertClose(expected, x);
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, Tolerance * Math.Max(1, Math.Abs(expected[i])));
    }

    private static float[] Read(string tensor) => MemoryMarshal
        .Cast<byte, float>(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "data", "llama.cpp", "tensors", tensor + ".f32")))
        .ToArray();
}
