using FastLayers.Kernels.Formats;

namespace FastLayers.Synthesis;

/// <summary>The keys that llama.cpp reads from a model file, apart from the vocabulary.</summary>
internal static class SyntheticMetadata
{
    /// <summary>The version of the block layouts, written into files with quantized tensors.</summary>
    private const uint QuantizationVersion = 2;

    /// <summary>The pooling type "mean over all tokens".</summary>
    private const uint MeanPooling = 1;

    public static void Describe(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options)
    {
        var name = architecture.Name;
        layout.Set("general.architecture", name);
        // Names that contain a model family make llama.cpp expect that family's special tokens.
        layout.Set("general.name", FormattableString.Invariant($"synthetic {options.Layers}x{options.Width}"));
        if (FileType(options.Format) is { } type) layout.Set("general.file_type", type);
        if (options.Format.GroupLength > 0) layout.Set("general.quantization_version", QuantizationVersion);

        layout.SetCount($"{name}.context_length", options.Context);
        layout.SetCount($"{name}.embedding_length", options.Width);
        layout.SetCount($"{name}.block_count", options.Layers);
        layout.SetCount($"{name}.vocab_size", options.Vocabulary);
        DescribeFeedForward(layout, architecture, options);
        DescribeAttention(layout, architecture, options);
        if (architecture.Rotary) DescribeRotary(layout, architecture, options);
        if (!architecture.Causal)
        {
            layout.Set($"{name}.attention.causal", false);
            layout.Set($"{name}.pooling_type", MeanPooling);
        }
    }

    /// <summary>The original context that stretched positions refer to.</summary>
    public static int OriginalContext(SyntheticModelOptions options) =>
        options.Rotary.OriginalContext > 0 ? options.Rotary.OriginalContext : Math.Max(1, (int)(options.Context / options.Rotary.Factor));

    private static void DescribeFeedForward(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options)
    {
        var name = architecture.Name;
        if (architecture.FeedForward != FeedForwardKind.Experts)
        {
            layout.SetCount($"{name}.feed_forward_length", options.FeedForward);
            return;
        }
        layout.SetCount($"{name}.feed_forward_length", (long)options.FeedForward * options.ExpertsUsed);
        layout.SetCount($"{name}.expert_feed_forward_length", options.FeedForward);
        layout.SetCount($"{name}.expert_count", options.Experts);
        layout.SetCount($"{name}.expert_used_count", options.ExpertsUsed);
    }

    private static void DescribeAttention(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options)
    {
        var name = architecture.Name;
        layout.SetCount($"{name}.attention.head_count", options.Heads);
        layout.SetCount($"{name}.attention.head_count_kv", SyntheticShape.KeyValueHeads(options));
        layout.Set($"{name}.attention.layer_norm_{(architecture.LayerNorm ? "" : "rms_")}epsilon", architecture.Epsilon);
        if (architecture.StatesHeadSize || (long)SyntheticShape.HeadSize(options) * options.Heads != options.Width)
        {
            layout.SetCount($"{name}.attention.key_length", SyntheticShape.HeadSize(options));
            layout.SetCount($"{name}.attention.value_length", SyntheticShape.HeadSize(options));
        }
        var window = options.Window > 0 ? options.Window : architecture.Window;
        if (window > 0) layout.SetCount($"{name}.attention.sliding_window", window);
        if (architecture.AttentionSoftCap > 0) layout.Set($"{name}.attn_logit_softcapping", architecture.AttentionSoftCap);
        if (architecture.LogitSoftCap > 0) layout.Set($"{name}.final_logit_softcapping", architecture.LogitSoftCap);
    }

    private static void DescribeRotary(SyntheticLayout layout, SyntheticArchitecture architecture, SyntheticModelOptions options)
    {
        var (name, rotary) = (architecture.Name, options.Rotary);
        layout.SetCount($"{name}.rope.dimension_count", SyntheticShape.RotaryDimensions(options));
        layout.Set($"{name}.rope.freq_base", SyntheticShape.RotaryBase(architecture, options));
        switch (rotary.Scaling)
        {
            case SyntheticScaling.Linear:
                layout.Set($"{name}.rope.scaling.type", "linear");
                layout.Set($"{name}.rope.scaling.factor", rotary.Factor);
                break;
            case SyntheticScaling.Yarn:
                layout.Set($"{name}.rope.scaling.type", "yarn");
                layout.Set($"{name}.rope.scaling.factor", rotary.Factor);
                layout.SetCount($"{name}.rope.scaling.original_context_length", OriginalContext(options));
                break;
            case SyntheticScaling.LongRope:
                layout.Set($"{name}.rope.scaling.type", "longrope");
                layout.SetCount($"{name}.rope.scaling.original_context_length", OriginalContext(options));
                layout.Set($"{name}.rope.scaling.attn_factor", SyntheticRotaryFactors.LongRopeAttention(OriginalContext(options), options.Context));
                break;
        }
    }

    /// <summary>The number that llama.cpp gives a file by the format of most of its tensors; null for formats without one.</summary>
    private static uint? FileType(Format format) => format.Name.ToUpperInvariant() switch
    {
        "F32" => 0,
        "F16" => 1,
        "Q4_0" => 2,
        "Q4_1" => 3,
        "Q8_0" => 7,
        "Q5_0" => 8,
        "Q5_1" => 9,
        "Q2_K" => 10,
        "Q3_K" => 12,
        "Q4_K" => 15,
        "Q5_K" => 17,
        "Q6_K" => 18,
        "IQ4_NL" => 25,
        "IQ4_XS" => 30,
        "BF16" => 32,
        "TQ1_0" => 36,
        "TQ2_0" => 37,
        _ => null,
    };
}
