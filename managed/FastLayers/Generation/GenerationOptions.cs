namespace FastLayers;

/// <summary>How tokens are chosen and when generation stops.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to generate.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Divides the logits before the draw; 0 always takes the most likely token.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Keep the K most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Keep the fewest most likely tokens whose probabilities sum to at least this; 1 keeps all (nucleus sampling, arXiv:1904.09751).</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Keep tokens at least this share as likely as the most likely; 0 keeps all (arXiv:2407.01082).</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>Divides positive and multiplies negative logits of recent tokens; 1 changes nothing (arXiv:1909.05858).</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Taken from a logit for each time that the token is among the recent ones.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Taken from a logit if the token is among the recent ones.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>How many tokens are recent; 0 switches the penalties off.</summary>
    public int PenaltyWindow { get; init; } = 64;

    /// <summary>Start of the random numbers: the same seed gives the same text. Null takes a new one each time.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Texts that end generation; they are not part of the output.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value that makes no sense; the exception names it.</exception>
    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(MaxTokens);
        Require(Temperature >= 0 && float.IsFinite(Temperature), nameof(Temperature), Temperature, "0 or a positive number");
        ArgumentOutOfRangeException.ThrowIfNegative(TopK);
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0, at most 1");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
        Require(RepetitionPenalty > 0 && float.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "a positive number");
        Require(float.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number");
        Require(float.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number");
        ArgumentOutOfRangeException.ThrowIfNegative(PenaltyWindow);
        ArgumentNullException.ThrowIfNull(StopStrings);
        foreach (string stop in StopStrings) ArgumentException.ThrowIfNullOrEmpty(stop, nameof(StopStrings));
    }

    private static void Require(bool holds, string name, float value, string expected)
    {
        if (!holds) throw new ArgumentOutOfRangeException(name, value, $"{name} should be {expected}.");
    }
}
