using System.Globalization;
using System.Text;
using FastLayers.Tokenization.Unicode;

namespace FastLayers.Tokenization;

/// <summary>Changes a stretch of text before it is cut into tokens.</summary>
/// <param name="text">The stretch, never null.</param>
/// <param name="atTextStart">Whether the whole text starts with it.</param>
internal delegate string TextRewrite(string text, bool atTextStart);

/// <summary>The changes that tokenizers make to text, in the words of their files.</summary>
internal static class TextRewrites
{
    /// <summary>U+2581, which stands for a space in SentencePiece vocabularies.</summary>
    public const char SpaceMark = '▁';

    public static readonly TextRewrite SpacesToMarks = static (text, _) => text.Replace(' ', SpaceMark);

    /// <summary>Each character's lower case, without regard to its neighbors; <c>İ</c> is the only one that becomes two.</summary>
    public static readonly TextRewrite LowerCase = static (text, _) => text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>Drops the combining marks of all kinds that are left standing alone by decomposition.</summary>
    public static readonly TextRewrite WithoutMarks = static (text, _) =>
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark) continue;
            result.Append(rune.ToString());
        }
        return result.ToString();
    };

    /// <summary>Drops spaces at both ends and turns each run inside into one.</summary>
    public static readonly TextRewrite SingleSpaces = static (text, _) => CollapseSpaces(text, static c => c == ' ');

    /// <summary>As <see cref="SingleSpaces"/>, for all white space; a word that brings its own space mark gets no space.</summary>
    public static readonly TextRewrite SingleWhiteSpace = static (text, _) => CollapseSpaces(text, char.IsWhiteSpace).Replace(" ▁", "▁", StringComparison.Ordinal);

    /// <summary>A Unicode normalization form.</summary>
    public static TextRewrite Normalize(NormalizationForm form) => form switch
    {
        NormalizationForm.FormC => static (text, _) => UnicodeNormalizer.FormC(text),
        NormalizationForm.FormD => static (text, _) => UnicodeNormalizer.FormD(text),
        NormalizationForm.FormKC => static (text, _) => UnicodeNormalizer.FormKC(text),
        _ => static (text, _) => UnicodeNormalizer.FormKD(text),
    };

    /// <summary>Puts <paramref name="prefix"/> before every stretch that is not empty.</summary>
    public static TextRewrite Prefix(string prefix) => (text, _) => text.Length == 0 ? text : prefix + text;

    /// <summary>Puts <paramref name="prefix"/> before a stretch that does not start with it.</summary>
    public static TextRewrite PrefixIfMissing(char prefix, bool onlyAtTextStart) => (text, atTextStart) =>
        text.Length == 0 || text[0] == prefix || onlyAtTextStart && !atTextStart ? text : prefix + text;

    public static TextRewrite Replace(string pattern, string replacement) =>
        (text, _) => text.Replace(pattern, replacement, StringComparison.Ordinal);

    /// <summary>Replaces each run of two or more spaces.</summary>
    public static TextRewrite ReplaceSpaceRuns(string replacement) => (text, _) =>
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var end = i;
            while (end < text.Length && text[end] == ' ') end++;
            if (end - i >= 2) result.Append(replacement);
            else result.Append(text[i]);
            end = Math.Max(end, i + 1);
            i = end;
        }
        return result.ToString();
    };

    /// <summary>Drops white space at the ends.</summary>
    public static TextRewrite Trim(bool start, bool end) => (text, _) =>
        (start, end) switch
        {
            (true, true) => text.Trim(),
            (true, false) => text.TrimStart(),
            (false, true) => text.TrimEnd(),
            _ => text,
        };

    public static string Apply(TextRewrite[] rewrites, string text, bool atTextStart)
    {
        foreach (var rewrite in rewrites) text = rewrite(text, atTextStart);
        return text;
    }

    private static string CollapseSpaces(string text, Func<char, bool> isSpace)
    {
        var result = new StringBuilder(text.Length);
        var pending = false;
        foreach (var c in text)
        {
            if (isSpace(c))
            {
                pending = result.Length > 0;
                continue;
            }
            if (pending) result.Append(' ');
            pending = false;
            result.Append(c);
        }
        return result.ToString();
    }
}
