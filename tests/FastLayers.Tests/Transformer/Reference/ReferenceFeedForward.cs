namespace FastLayers.Tests.Transformer.Reference;

/// <summary>The feed-forward network of one layer for one position.</summary>
internal sealed class ReferenceFeedForward(ReferenceConfig config, ReferenceWeights weights, int layer)
{
    private readonly string _prefix = $"blk.{layer}.";

    public double[] Run(double[] input)
    {
        if (weights.Has(_prefix + "ffn_gate_inp.weight")) return Experts(input);
        var up = weights.Project(_prefix + "ffn_up", input);
        if (weights.Has(_prefix + "ffn_gate.weight")) return Down(Gated(weights.Project(_prefix + "ffn_gate", input), up));
        return config.Architecture switch
        {
            "phi3" => Down(Gated(up[..(up.Length / 2)], up[(up.Length / 2)..])),
            "bert" => Down([.. up.Select(ReferenceMath.Gelu)]),
            "gpt2" => Down([.. up.Select(ReferenceMath.GeluTanh)]),
            _ => throw new InvalidDataException(config.Architecture),
        };
    }

    private double[] Gated(double[] gate, double[] up) =>
        ReferenceMath.Multiply([.. gate.Select(value => config.IsGemma ? ReferenceMath.GeluTanh(value) : ReferenceMath.Silu(value))], up);

    private double[] Down(double[] inner) => weights.Project(_prefix + "ffn_down", inner);

    /// <summary>The likeliest experts, weighted by their shares of the shares of those chosen.</summary>
    private double[] Experts(double[] input)
    {
        var shares = ReferenceMath.Softmax(weights.Project(_prefix + "ffn_gate_inp", input));
        var chosen = Enumerable.Range(0, shares.Length).OrderByDescending(expert => shares[expert]).Take(config.ExpertsUsed).ToArray();
        var total = chosen.Sum(expert => shares[expert]);
        var output = new double[config.Width];
        foreach (var expert in chosen)
        {
            var inner = Gated(weights.Project(_prefix + "ffn_gate_exps", input, expert), weights.Project(_prefix + "ffn_up_exps", input, expert));
            var result = weights.Project(_prefix + "ffn_down_exps", inner, expert);
            for (var i = 0; i < output.Length; i++) output[i] += shares[expert] / total * result[i];
        }
        return output;
    }
}
