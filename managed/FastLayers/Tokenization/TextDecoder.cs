namespace FastLayers.Tokenization;

/// <summary>
/// The <c>decoder</c> of a <c>tokenizer.json</c>. Each kind of tokenizer turns its tokens into text in one way, with the few choices here;
/// a decoder that asks for anything else is refused.
/// </summary>
internal sealed class TextDecoder
{
    private readonly JsonPart? _decoder;
    private Kind _kind;
    private bool _fused;
    private bool _dropsLeadingSpace;
    private bool _readsBytes;
    private string _continuationMark = "";

    public TextDecoder(JsonPart root)
    {
        _decoder = root.Find("decoder");
        if (_decoder is { } decoder) Read(decoder);
    }

    private enum Kind
    {
        None,
        ByteLevel,
        SpaceMarks,
        WordPieces,
    }

    /// <summary>The space before a punctuation mark or a shortened word is left out.</summary>
    public bool CleansUp { get; private set; }

    /// <summary>For tokens that spell bytes.</summary>
    public void RequireByteLevel() => Require(_kind == Kind.ByteLevel, "ByteLevel for this kind of model");

    /// <summary>For tokens in which a mark stands for a space.</summary>
    /// <param name="byteFallback">Whether some tokens are bytes.</param>
    /// <param name="addsSpace">Whether encoding puts a space before the text.</param>
    /// <returns>Whether decoding drops it again.</returns>
    public bool RequireSpaceMarks(bool byteFallback, bool addsSpace)
    {
        Require(_kind == Kind.SpaceMarks, "Metaspace, or a Sequence that replaces '▁' by ' ', for this kind of model");
        Require(_readsBytes == byteFallback, "ByteFallback in a decoder where the model has byte_fallback, and nowhere else");
        return _decoder is null ? addsSpace : _dropsLeadingSpace;
    }

    /// <summary>For words in pieces.</summary>
    /// <param name="continuationMark">What the pieces that go on begin with.</param>
    public void RequireWordPieces(string continuationMark) =>
        Require(_kind == Kind.WordPieces && _continuationMark == continuationMark, $"WordPiece with the prefix '{continuationMark}' for this kind of model");

    private void Require(bool holds, string supported)
    {
        if (_decoder is { } decoder && !holds) throw decoder.Unsupported(supported);
    }

    private void Read(JsonPart part)
    {
        var step = part.Step(out var type);
        switch (type)
        {
            case "Sequence":
                step.Allow("type", "decoders");
                foreach (var inner in step.Get("decoders").Items()) Read(inner);
                break;
            case "ByteLevel": // its options are those of the pre-tokenizer
                step.Allow("type", "add_prefix_space", "trim_offsets", "use_regex");
                Become(Kind.ByteLevel, part);
                break;
            case "Metaspace":
                var marks = Metaspace.Read(step);
                Become(Kind.SpaceMarks, part);
                _dropsLeadingSpace = marks.AddsSpace;
                break;
            case "Replace":
                step.Allow("type", "pattern", "content");
                if (step.Get("pattern").Find("String")?.Text() != "▁" || step.Get("content").Text() != " ") throw part.Unsupported("'▁' by ' '");
                Become(Kind.SpaceMarks, part);
                break;
            case "ByteFallback":
                step.Allow("type");
                if (_fused) throw part.Unsupported("ByteFallback before Fuse");
                _readsBytes = true;
                break;
            case "Fuse":
                step.Allow("type");
                _fused = true;
                break;
            case "Strip":
                ReadStrip(step);
                break;
            case "WordPiece":
                step.Allow("type", "prefix", "cleanup");
                Become(Kind.WordPieces, part);
                _continuationMark = step.Find("prefix")?.Text() ?? "##";
                CleansUp = step.Find("cleanup")?.Flag() ?? true;
                break;
            default:
                throw part.Get("type").Unsupported("Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip and WordPiece");
        }
    }

    /// <summary>One space at the start of the whole text; before tokens are fused it would be one of each token.</summary>
    private void ReadStrip(JsonPart step)
    {
        step.Allow("type", "content", "start", "stop");
        if (!_fused || _dropsLeadingSpace || step.Get("content").Text() != " " || step.Get("start").Integer() != 1 || step.Get("stop").Integer() != 0)
        {
            throw step.Unsupported("one space at the start, after Fuse");
        }
        _dropsLeadingSpace = true;
    }

    private void Become(Kind kind, JsonPart part)
    {
        if (_kind != Kind.None) throw part.Unsupported("one step of this sort");
        _kind = kind;
    }
}
