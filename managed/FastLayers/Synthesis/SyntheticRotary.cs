namespace FastLayers.Synthesis;

/// <summary>How a synthetic model stretches its rotary positions.</summary>
public enum SyntheticScaling
{
    /// <summary>Positions as they are.</summary>
    None,

    /// <summary>Positions divided by the factor.</summary>
    Linear,

    /// <summary>YaRN: low frequencies divided by the factor, high ones kept, a ramp between.</summary>
    Yarn,

    /// <summary>The Llama 3 rule, as one divisor for each frequency in the tensor <c>rope_freqs.weight</c>.</summary>
    Llama3,

    /// <summary>LongRoPE: two tables of divisors, one up to the original context and one beyond it.</summary>
    LongRope,
}

/// <summary>The rotary positions of a synthetic model.</summary>
public sealed record SyntheticRotary
{
    /// <summary>The leading values of each head that are rotated; 0 for all.</summary>
    public int Dimensions { get; init; }

    /// <summary>The base of the frequencies; 0 for what the architecture usually has (1,000,000 for gemma3, else 10,000).</summary>
    public float Base { get; init; }

    /// <summary>The rule that stretches positions.</summary>
    public SyntheticScaling Scaling { get; init; }

    /// <summary>By how much positions are stretched.</summary>
    public float Factor { get; init; } = 1;

    /// <summary>The context before stretching; 0 for the context divided by the factor.</summary>
    public int OriginalContext { get; init; }
}
