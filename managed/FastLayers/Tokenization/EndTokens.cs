namespace FastLayers.Tokenization;

/// <summary>Finds the tokens that end a turn or a message in files that name only the end of a text.</summary>
internal static class EndTokens
{
    /// <summary>Texts that are written nowhere but at the end of a turn, message or text.</summary>
    private static readonly string[] Texts =
    [
        "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "<|end|>", "<end_of_turn>",
        "<EOT>", "<｜end▁of▁sentence｜>", "<end_of_utterance>",
    ];

    public static HashSet<int> Find(Vocabulary vocabulary)
    {
        var ids = new HashSet<int>();
        foreach (var text in Texts)
        {
            if (vocabulary.FindId(text) is { } id) ids.Add(id);
        }
        return ids;
    }
}
