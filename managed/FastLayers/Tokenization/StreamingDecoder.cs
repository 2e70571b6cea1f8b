using System.Text;

namespace FastLayers.Tokenization;

/// <summary>Decodes tokens one by one: gives whole characters only and holds the bytes of an unfinished one back.</summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly bool _skipSpecial;
    private bool _dropSpace;

    internal StreamingDecoder(Tokenizer tokenizer, bool startsText, bool skipSpecial)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _dropSpace = startsText && tokenizer.DropsFirstSpace;
    }

    /// <summary>Adds a token and returns the characters that it completes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public string Append(int id)
    {
        if (_tokenizer.IsSpecial(id) && _skipSpecial) return "";
        ReadOnlySpan<byte> bytes = _tokenizer.TokenBytes(id);
        if (_dropSpace && bytes.Length > 0)
        {
            if (bytes[0] == (byte)' ') bytes = bytes[1..];
            _dropSpace = false;
        }

        return Convert(bytes, flush: false);
    }

    /// <summary>What is left: U+FFFD for an unfinished character, else nothing.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> buffer = bytes.Length <= 60 ? stackalloc char[64] : new char[bytes.Length + 4];
        int count = _decoder.GetChars(bytes, buffer, flush);
        return count == 0 ? "" : new string(buffer[..count]);
    }
}
