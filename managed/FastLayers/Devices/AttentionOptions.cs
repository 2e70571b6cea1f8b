namespace FastLayers;

/// <summary>How a layer attends.</summary>
/// <param name="Heads">Number of query heads.</param>
/// <param name="Scale">Factor of the scores.</param>
/// <param name="SoftCap">If positive, the cap of the scores.</param>
/// <param name="Windowed">Whether a row sees only positions from <see cref="BatchRows.WindowStart"/> on.</param>
public readonly record struct AttentionOptions(int Heads, float Scale, float SoftCap, bool Windowed)
{
    /// <summary>Whether queries and weights may be rounded where keys or values are packed, as far as their format makes that matter little.</summary>
    public ActivationPrecision Precision { get; init; } = ActivationPrecision.Int8;
}
