namespace FastLayers;

/// <summary>Why generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended the text.</summary>
    EndOfText,

    /// <summary>As many tokens as asked for.</summary>
    MaxTokens,

    /// <summary>A stop string came.</summary>
    StopString,

    /// <summary>The context is full.</summary>
    ContextFull,
}

/// <summary>What a generation took.</summary>
public sealed record GenerationStatistics
{
    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens chosen, a final end-of-text token not counted.</summary>
    public required int GeneratedTokens { get; init; }

    /// <summary>Prompt tokens a second of prefill.</summary>
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Tokens a second after the first.</summary>
    public required double DecodeTokensPerSecond { get; init; }

    /// <summary>From the call to the first token chosen.</summary>
    public required TimeSpan TimeToFirstToken { get; init; }

    /// <summary>Largest working set of the process so far, in bytes.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Why generation ended.</summary>
    public required FinishReason FinishReason { get; init; }
}

/// <summary>A piece of generated text.</summary>
/// <param name="Text">Whole characters; empty while a character or a stop string may still be incomplete.</param>
/// <param name="Ids">Tokens chosen since the piece before.</param>
/// <param name="Statistics">Set on the last piece only.</param>
public sealed record GenerationPiece(string Text, IReadOnlyList<int> Ids, GenerationStatistics? Statistics = null);
