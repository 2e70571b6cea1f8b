using FastLayers.Kernels.Formats;

namespace FastLayers.Synthesis;

/// <summary>What must hold between the numbers of a model's shape and its architecture.</summary>
internal sealed class SyntheticCheck(SyntheticArchitecture architecture, SyntheticModelOptions options)
{
    /// <summary>As many layers and values as the reader of models takes.</summary>
    private const int MostLayers = 4096;

    private const int MostValues = 1 << 24;

    /// <summary>Sixteen times the largest vocabulary in use; its texts are made in memory.</summary>
    private const int MostTokens = 1 << 22;

    public void Run()
    {
        Within("layers", options.Layers, MostLayers);
        Within("width", options.Width, MostValues);
        Within("ffn", options.FeedForward, MostValues);
        Within("heads", options.Heads, MostValues);
        Within("vocabulary", options.Vocabulary, MostTokens);
        Within("context", options.Context, MostValues);
        Require(options.KeyValueHeads >= 0 && options.HeadSize >= 0 && options.Window >= 0, $"kv-heads, head-size and window may not be negative");
        Require(float.IsFinite(options.Deviation) && options.Deviation >= 0, $"deviation should be 0 or above, found {options.Deviation}");
        CheckFormat();
        CheckHeads();
        CheckRotary();
        CheckExperts();

        var smallest = SyntheticVocabulary.Smallest(architecture.Vocabulary);
        Require(options.Vocabulary >= smallest, $"vocabulary should be at least {smallest} for special tokens and single characters, found {options.Vocabulary}");
        Require(options.Window == 0 || architecture.Window != 0, $"{architecture.Name} has no sliding window, found window {options.Window}");
        Require(options.Tied != false || architecture.Tying is not (Tying.Always or Tying.NoOutput), $"{architecture.Name} has no output matrix of its own, found tied=false");
        Require(options.Tied != true || architecture.Tying is not Tying.Never, $"{architecture.Name} always has an output matrix of its own, found tied=true");
    }

    private void CheckFormat() =>
        Require(options.Format != Format.Q8_1 && options.Format != Format.Q8_K, $"{options.Format.Name} stores activations, not weights");

    private void CheckHeads()
    {
        var keyValueHeads = SyntheticShape.KeyValueHeads(options);
        Require(options.Heads % keyValueHeads == 0, $"heads {options.Heads} should be a multiple of kv-heads {keyValueHeads}");
        Require(options.HeadSize > 0 || options.Width % options.Heads == 0, $"width {options.Width} is not divisible by heads {options.Heads}; give head-size");
        var free = architecture.StatesHeadSize || architecture.Name == "llama";
        Require(free || options.HeadSize == 0 || (long)options.HeadSize * options.Heads == options.Width,
            $"{architecture.Name} needs head-size = width / heads = {options.Width} / {options.Heads}, found {options.HeadSize}");
        Require(architecture.Rotary || keyValueHeads == options.Heads, $"{architecture.Name} has as many key/value heads as heads ({options.Heads}), found kv-heads {keyValueHeads}");
    }

    private void CheckRotary()
    {
        var rotary = options.Rotary;
        var headSize = SyntheticShape.HeadSize(options);
        if (!architecture.Rotary)
        {
            Require(rotary == new SyntheticRotary(), $"{architecture.Name} has a learned table of positions, found rope settings");
            return;
        }
        var dimensions = SyntheticShape.RotaryDimensions(options);
        Require(dimensions > 0 && dimensions % 2 == 0, $"rotary positions turn pairs: expected an even head size or rope-dimensions, found {dimensions}");
        Require(dimensions <= headSize, $"rope-dimensions {dimensions} exceeds the head size {headSize}");
        Require(dimensions == headSize || architecture.PartialRotary, $"{architecture.Name} rotates whole heads of {headSize}, found rope-dimensions {dimensions}");
        Require(float.IsFinite(rotary.Base) && rotary.Base is 0 or > 1, $"rope-base should exceed 1, found {rotary.Base}");
        Require(architecture.Scalings.Contains(rotary.Scaling), $"{architecture.Name} has no rope-scaling {rotary.Scaling}; expected {string.Join(", ", architecture.Scalings)}");
        Require(float.IsFinite(rotary.Factor) && rotary.Factor >= 1, $"rope-factor should be 1 or above, found {rotary.Factor}");
        Require(rotary.Factor == 1 || rotary.Scaling != SyntheticScaling.None, $"rope-factor {rotary.Factor} needs rope-scaling");
        Require(rotary.OriginalContext >= 0 && rotary.OriginalContext <= options.Context, $"original-context should be at most context {options.Context}, found {rotary.OriginalContext}");
    }

    private void CheckExperts()
    {
        if (architecture.FeedForward != FeedForwardKind.Experts)
        {
            Require(options.Experts == 0 && options.ExpertsUsed == 0, $"{architecture.Name} has no experts, found experts {options.Experts}, experts-used {options.ExpertsUsed}");
            return;
        }
        Require(options.Experts > 0 && options.ExpertsUsed > 0 && options.ExpertsUsed <= options.Experts,
            $"{architecture.Name} needs experts >= experts-used >= 1, found experts {options.Experts}, experts-used {options.ExpertsUsed}");
    }

    private static void Within(string key, int value, int most)
    {
        Require(value > 0, $"{key} should be at least 1, found {value}");
        Require(value <= most, $"{key} should be at most {most}, found {value}");
    }

    private static void Require(bool holds, FormattableString message)
    {
        if (!holds) throw new ArgumentException($"Synthetic model: {FormattableString.Invariant(message)}.");
    }
}
