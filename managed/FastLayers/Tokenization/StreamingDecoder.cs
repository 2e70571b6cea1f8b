using System.Text;

namespace FastLayers.Tokenization;

/// <summary>
/// Turns a stream of token ids into text as it arrives. A character whose bytes are spread over several tokens is held
/// back until its last byte is there. All results in order give the same text as <see cref="Tokenizer.Decode"/>.
/// </summary>
public sealed class StreamingDecoder
{
    /// <summary>The most bytes of an incomplete character.</summary>
    private const int MaxHeldBytes = 3;

    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly Decoder _utf8 = new UTF8Encoding(false, throwOnInvalidBytes: false).GetDecoder();
    private bool _dropsSpace;

    internal StreamingDecoder(Tokenizer tokenizer, bool skipSpecial, bool dropsLeadingSpace)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _dropsSpace = dropsLeadingSpace;
    }

    /// <summary>Takes the next token and returns the text that it completes; empty while a character is incomplete.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="id"/> lies outside the vocabulary.</exception>
    public string Append(int id)
    {
        var bytes = _tokenizer.TokenBytes(id);
        var special = _tokenizer.IsSpecial(id);
        if (special && _skipSpecial) return "";
        if (_dropsSpace && !special && !bytes.IsEmpty)
        {
            _dropsSpace = false;
            if (bytes[0] == (byte)' ') bytes = bytes[1..];
        }
        return Convert(bytes, flush: false);
    }

    /// <summary>Ends the text: an incomplete character comes out as U+FFFD. The decoder can then start on text that follows.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        const int onStack = 256;
        var length = Encoding.UTF8.GetMaxCharCount(bytes.Length + MaxHeldBytes);
        var chars = length <= onStack ? stackalloc char[onStack] : new char[length];
        return chars[.._utf8.GetChars(bytes, chars, flush)].ToString();
    }
}
