namespace FastLayers.Tokenization;

/// <summary>Reads which tokens the <c>post_processor</c> of a <c>tokenizer.json</c> puts around a single text.</summary>
internal sealed class PostProcessor(JsonPart root, Vocabulary vocabulary)
{
    public (int[] Prefix, int[] Suffix) Surroundings()
    {
        var (prefix, suffix) = (new List<int>(), new List<int>());
        if (root.Find("post_processor") is { } processor) Read(processor, prefix, suffix);
        return ([.. prefix], [.. suffix]);
    }

    private void Read(JsonPart processor, List<int> prefix, List<int> suffix)
    {
        switch (processor.Get("type").Text())
        {
            case "ByteLevel":
                break;
            case "Sequence":
                // A file cannot nest deeply: the JSON reader stops at 64 levels.
                foreach (var step in processor.Get("processors").Items()) Read(step, prefix, suffix);
                break;
            case "BertProcessing" or "RobertaProcessing":
                prefix.Add(CheckedId(processor.Get("cls")[1]));
                suffix.Add(CheckedId(processor.Get("sep")[1]));
                break;
            case "TemplateProcessing":
                ReadTemplate(processor, prefix, suffix);
                break;
            default:
                throw processor.Mismatch("ByteLevel, Sequence, BertProcessing, RobertaProcessing or TemplateProcessing");
        }
    }

    private void ReadTemplate(JsonPart processor, List<int> prefix, List<int> suffix)
    {
        var beforeText = true;
        foreach (var part in processor.Get("single").Items())
        {
            if (part.Find("Sequence") is not null)
            {
                beforeText = false;
                continue;
            }
            var name = part.Get("SpecialToken").Get("id").Text();
            foreach (var id in processor.Get("special_tokens").Get(name).Get("ids").Items())
            {
                (beforeText ? prefix : suffix).Add(CheckedId(id));
            }
        }
    }

    private int CheckedId(JsonPart part) =>
        part.Integer() is var id && (uint)id < (uint)vocabulary.Count ? id : throw part.Mismatch($"a token id from 0 to {vocabulary.Count - 1}");
}
