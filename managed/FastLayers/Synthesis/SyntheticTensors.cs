namespace FastLayers.Synthesis;

/// <summary>The tensors of a model, by the names of llama.cpp.</summary>
internal static class SyntheticTensors
{
    /// <summary>The end of the short LongRoPE table: nearly no stretching.</summary>
    private const double ShortEnd = 1.25;

    /// <summary>The end of the long LongRoPE table when the context is not stretched at all.</summary>
    private const double LongEnd = 4;

    /// <summary>The rows of BERT's table of sentence types.</summary>
    private const int TokenTypes = 2;

    public static void Describe(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options)
    {
        layout.Matrix("token_embd.weight", options.Vocabulary, options.Width);
        if (architecture.Norms == NormPlacement.AfterResidual) layout.Table("token_types.weight", TokenTypes, options.Width);
        if (!architecture.Rotary) layout.Table("position_embd.weight", options.Context, options.Width);
        if (architecture.Norms == NormPlacement.AfterResidual) layout.Norm("token_embd_norm", options.Width, withBias: true);
        DescribeRotaryFactors(layout, architecture, options);

        for (var layer = 0; layer < options.Layers; layer++)
        {
            DescribeAttention(layout, architecture, options, $"blk.{layer}.");
            DescribeFeedForward(layout, architecture, options, $"blk.{layer}.");
        }
        if (architecture.Tying == Tying.NoOutput) return;
        layout.Norm("output_norm", options.Width, architecture.LayerNorm);
        if (!architecture.IsTied(options)) layout.Matrix("output.weight", options.Vocabulary, options.Width);
    }

    private static void DescribeRotaryFactors(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options)
    {
        var rotary = options.Rotary;
        var dimensions = SyntheticShape.RotaryDimensions(options);
        var original = SyntheticMetadata.OriginalContext(options);
        if (rotary.Scaling == SyntheticScaling.Llama3)
        {
            layout.Constant("rope_freqs.weight", SyntheticRotaryFactors.Llama3(dimensions, SyntheticShape.RotaryBase(architecture, options), rotary.Factor, original));
        }
        else if (rotary.Scaling == SyntheticScaling.LongRope)
        {
            var stretch = (double)options.Context / original;
            layout.Constant("rope_factors_long.weight", SyntheticRotaryFactors.Rising(dimensions, stretch > 1 ? stretch : LongEnd));
            layout.Constant("rope_factors_short.weight", SyntheticRotaryFactors.Rising(dimensions, ShortEnd));
        }
    }

    private static void DescribeAttention(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options, string prefix)
    {
        var queryRows = (long)options.Heads * SyntheticShape.HeadSize(options);
        var keyRows = (long)SyntheticShape.KeyValueHeads(options) * SyntheticShape.HeadSize(options);
        var withBias = architecture.Biases != Biases.None;
        if (architecture.Norms is NormPlacement.Before or NormPlacement.Both) layout.Norm(prefix + "attn_norm", options.Width, architecture.LayerNorm);
        if (architecture.FusedQueryKeyValue)
        {
            Projection(layout, prefix + "attn_qkv", queryRows + 2 * keyRows, options.Width, withBias);
        }
        else
        {
            Projection(layout, prefix + "attn_q", queryRows, options.Width, withBias);
            Projection(layout, prefix + "attn_k", keyRows, options.Width, withBias);
            Projection(layout, prefix + "attn_v", keyRows, options.Width, withBias);
        }
        if (architecture.QueryKeyNorm != QueryKeyNorm.None)
        {
            var wide = architecture.QueryKeyNorm == QueryKeyNorm.Width;
            layout.Norm(prefix + "attn_q_norm", wide ? queryRows : SyntheticShape.HeadSize(options), withBias: false);
            layout.Norm(prefix + "attn_k_norm", wide ? keyRows : SyntheticShape.HeadSize(options), withBias: false);
        }
        Projection(layout, prefix + "attn_output", options.Width, queryRows, architecture.Biases == Biases.All);
        if (architecture.Norms is NormPlacement.After or NormPlacement.Both) layout.Norm(prefix + "post_attention_norm", options.Width, withBias: false);
        if (architecture.Norms == NormPlacement.AfterResidual) layout.Norm(prefix + "attn_output_norm", options.Width, withBias: true);
    }

    private static void DescribeFeedForward(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options, string prefix)
    {
        var (width, inner) = (options.Width, (long)options.FeedForward);
        var withBias = architecture.Biases == Biases.All;
        if (architecture.Norms is NormPlacement.Before or NormPlacement.Both) layout.Norm(prefix + "ffn_norm", width, architecture.LayerNorm);
        switch (architecture.FeedForward)
        {
            case FeedForwardKind.Experts:
                layout.Table(prefix + "ffn_gate_inp.weight", options.Experts, width);
                layout.Matrix(prefix + "ffn_gate_exps.weight", options.Experts, inner, width);
                layout.Matrix(prefix + "ffn_up_exps.weight", options.Experts, inner, width);
                layout.Matrix(prefix + "ffn_down_exps.weight", options.Experts, width, inner);
                break;
            case FeedForwardKind.Gated:
                Projection(layout, prefix + "ffn_gate", inner, width, withBias);
                Projection(layout, prefix + "ffn_up", inner, width, withBias);
                Projection(layout, prefix + "ffn_down", width, inner, withBias);
                break;
            default:
                Projection(layout, prefix + "ffn_up", architecture.FeedForward == FeedForwardKind.GatedFused ? 2 * inner : inner, width, withBias);
                Projection(layout, prefix + "ffn_down", width, inner, withBias);
                break;
        }
        if (architecture.Norms is NormPlacement.After or NormPlacement.Both) layout.Norm(prefix + "post_ffw_norm", width, withBias: false);
        if (architecture.Norms == NormPlacement.AfterResidual) layout.Norm(prefix + "layer_output_norm", width, withBias: true);
    }

    private static void Projection(SyntheticLayout layout, string name, long rows, long columns, bool withBias)
    {
        layout.Matrix(name + ".weight", rows, columns);
        if (withBias) layout.Bias(name, rows);
    }
}
