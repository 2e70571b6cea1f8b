using System.Buffers;
using System.Globalization;
using System.Text;

namespace FastLayers.Tokenization;

/// <summary>
/// Cuts text into the words inside which BPE merges. Each kind is the exact meaning of a published regular expression, written as a
/// scanner over code points: it runs in linear time and knows letters beyond U+FFFF.
/// </summary>
internal abstract class WordPattern
{
    /// <summary><c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c></summary>
    public static readonly WordPattern Gpt2 = new Gpt2Pattern();

    /// <summary><c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c></summary>
    public static readonly WordPattern Llama3 = new LineAwarePattern(maxDigits: 3);

    /// <summary>As <see cref="Llama3"/>, with <c>\p{N}</c>: each digit is a word.</summary>
    public static readonly WordPattern Qwen2 = new LineAwarePattern(maxDigits: 1);

    /// <summary><c>\p{N}</c>, and what lies between.</summary>
    public static readonly WordPattern EachDigit = new DigitPattern(alone: true);

    /// <summary><c>\p{N}+</c>, and what lies between.</summary>
    public static readonly WordPattern DigitRuns = new DigitPattern(alone: false);

    /// <summary>The length of the first word of a text that is not empty; at least 1.</summary>
    public abstract int Next(ReadOnlySpan<char> text);

    protected enum CharClass
    {
        Other,
        Letter,
        Number,
        Space,
        LineBreak,
    }

    /// <summary>The class of the code point at <paramref name="at"/> and its length in UTF-16 units.</summary>
    protected static CharClass ClassAt(ReadOnlySpan<char> text, int at, out int length)
    {
        length = 1;
        var c = text[at];
        if (c < 128)
        {
            return char.IsAsciiLetter(c) ? CharClass.Letter
                : char.IsAsciiDigit(c) ? CharClass.Number
                : c is '\r' or '\n' ? CharClass.LineBreak
                : c is ' ' or '\t' or '\v' or '\f' ? CharClass.Space
                : CharClass.Other;
        }
        if (Rune.DecodeFromUtf16(text[at..], out var rune, out length) != OperationStatus.Done) return CharClass.Other;
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => CharClass.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharClass.Number,
            _ => Rune.IsWhiteSpace(rune) ? CharClass.Space : CharClass.Other,
        };
    }

    /// <summary>The end of the run of <paramref name="kind"/> that starts at <paramref name="at"/>.</summary>
    protected static int EndOfRun(ReadOnlySpan<char> text, int at, CharClass kind)
    {
        while (at < text.Length && ClassAt(text, at, out var length) == kind) at += length;
        return at;
    }

    /// <summary>The length of an English contraction (<c>'s</c>, <c>'ll</c>, …) at the start, or 0.</summary>
    protected static int Contraction(ReadOnlySpan<char> text, bool ignoreCase)
    {
        if (text.Length < 2 || text[0] != '\'') return 0;
        var first = ignoreCase ? (char)(text[1] | 0x20) : text[1];
        if (first is 's' or 't' or 'm' or 'd') return 2;
        if (text.Length < 3) return 0;
        var second = ignoreCase ? (char)(text[2] | 0x20) : text[2];
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    /// <summary><c>\s+(?!\S)|\s+</c>: a run of white space leaves its last character to the word that follows.</summary>
    protected static int WhiteSpace(int runLength, bool atTextEnd) => atTextEnd || runLength == 1 ? runLength : runLength - 1;

    private sealed class Gpt2Pattern : WordPattern
    {
        public override int Next(ReadOnlySpan<char> text)
        {
            if (Contraction(text, ignoreCase: false) is var contraction and > 0) return contraction;
            var start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
            var kind = ClassAt(text, start, out _);
            if (kind is not (CharClass.Space or CharClass.LineBreak)) return EndOfRun(text, start, kind);
            var end = 0;
            while (end < text.Length && ClassAt(text, end, out var length) is CharClass.Space or CharClass.LineBreak) end += length;
            return WhiteSpace(end, end == text.Length);
        }
    }

    private sealed class LineAwarePattern(int maxDigits) : WordPattern
    {
        public override int Next(ReadOnlySpan<char> text)
        {
            if (Contraction(text, ignoreCase: true) is var contraction and > 0) return contraction;
            var first = ClassAt(text, 0, out var firstLength);
            if (first == CharClass.Letter) return EndOfRun(text, 0, CharClass.Letter);
            if (first == CharClass.Number)
            {
                var digitsEnd = firstLength;
                for (var count = 1; count < maxDigits && digitsEnd < text.Length
                    && ClassAt(text, digitsEnd, out var length) == CharClass.Number; count++) digitsEnd += length;
                return digitsEnd;
            }
            var second = firstLength < text.Length ? ClassAt(text, firstLength, out _) : CharClass.Space;
            if (first != CharClass.LineBreak && second == CharClass.Letter) return EndOfRun(text, firstLength, CharClass.Letter);
            if (first == CharClass.Other) return EndOfRun(text, EndOfRun(text, 0, CharClass.Other), CharClass.LineBreak);
            if (text[0] == ' ' && second == CharClass.Other)
            {
                return EndOfRun(text, EndOfRun(text, 1, CharClass.Other), CharClass.LineBreak);
            }

            var (end, afterLastBreak) = (0, 0);
            while (end < text.Length && ClassAt(text, end, out var length) is CharClass.Space or CharClass.LineBreak)
            {
                end += length;
                if (text[end - 1] is '\r' or '\n') afterLastBreak = end;
            }
            return afterLastBreak > 0 ? afterLastBreak : WhiteSpace(end, end == text.Length);
        }
    }

    private sealed class DigitPattern(bool alone) : WordPattern
    {
        public override int Next(ReadOnlySpan<char> text)
        {
            var isNumber = ClassAt(text, 0, out var end) == CharClass.Number;
            if (isNumber && alone) return end;
            while (end < text.Length && ClassAt(text, end, out var length) == CharClass.Number == isNumber) end += length;
            return end;
        }
    }
}
