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

    private void Read(JsonPart part, List<int> prefix, List<int> suffix)
    {
        var processor = part.Step(out var type);
        if (type is not ("ByteLevel" or "Sequence") && prefix.Count + suffix.Count > 0) throw part.Unsupported("one step that adds tokens");
        switch (type)
        {
            case "ByteLevel": // says where tokens stand in the text, which no caller asks for
                processor.Allow("type", "add_prefix_space", "trim_offsets", "use_regex");
                break;
            case "Sequence":
                processor.Allow("type", "processors");
                // A file cannot nest deeply: the JSON reader stops at 64 levels.
                foreach (var step in processor.Get("processors").Items()) Read(step, prefix, suffix);
                break;
            case "BertProcessing" or "RobertaProcessing":
                processor.Allow("type", "cls", "sep", "trim_offsets", "add_prefix_space");
                prefix.Add(CheckedId(processor.Get("cls")[1]));
                suffix.Add(CheckedId(processor.Get("sep")[1]));
                break;
            case "TemplateProcessing":
                ReadTemplate(processor, prefix, suffix);
                break;
            default:
                throw part.Get("type").Unsupported("ByteLevel, Sequence, BertProcessing, RobertaProcessing and TemplateProcessing");
        }
    }

    private void ReadTemplate(JsonPart processor, List<int> prefix, List<int> suffix)
    {
        processor.Allow("type", "single", "pair", "special_tokens");
        var single = processor.Get("single");
        var beforeText = true;
        foreach (var part in single.Items())
        {
            part.Allow("Sequence", "SpecialToken");
            if (part.Find("Sequence") is { } text)
            {
                if (!beforeText || text.Get("id").Text() != "A") throw single.Unsupported("the text 'A' once");
                RequireFirstType(text);
                beforeText = false;
                continue;
            }
            var token = part.Get("SpecialToken");
            RequireFirstType(token);
            var name = token.Get("id").Text();
            foreach (var id in processor.Get("special_tokens").Get(name).Get("ids").Items())
            {
                (beforeText ? prefix : suffix).Add(CheckedId(id));
            }
        }
        if (beforeText) throw single.Unsupported("the text 'A' once");
    }

    /// <summary>Models here are given tokens without types, which counts as type 0.</summary>
    private static void RequireFirstType(JsonPart part)
    {
        part.Allow("id", "type_id");
        if (part.Find("type_id") is { } type && type.Integer() != 0) throw type.Unsupported("0");
    }

    private int CheckedId(JsonPart part) =>
        part.Integer() is var id && (uint)id < (uint)vocabulary.Count ? id : throw part.Mismatch($"a token id from 0 to {vocabulary.Count - 1}");
}
