using System.Text.RegularExpressions;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

/// <summary>The scanners cut as the published regular expressions do. Up to U+FFFF, .NET's engine is an independent judge.</summary>
public class WordPatternTests
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public static readonly TheoryData<string, string> Patterns = new()
    {
        { "gpt-2", Gpt2 },
        { "llama-bpe", Llama3 },
        { "qwen2", Llama3.Replace("{1,3}", "", StringComparison.Ordinal) },
        { "each digit", @"\p{N}|\P{N}+" },
        { "digit runs", @"\p{N}+|\P{N}+" },
    };

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Random_texts_are_cut_as_by_the_regular_expression(string name, string expression)
    {
        var regex = new Regex(expression, RegexOptions.CultureInvariant);
        var pattern = Pattern(name);
        string[] pieces = ["'", "s", "S", "t", "re", "VE", "ll", "m", "D", "a", "Z", "é", "漢", "1", "22", "½", "٣", " ", "  ", "\t", "\n", "\r", "\u00A0", "\u3000", "\u0085", "!", "..", "_", "€", "\u0301"];
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 16)).Select(_ => pieces[random.Next(pieces.Length)]));
            Assert.Equal(regex.Matches(text).Select(match => match.Value), Cut(pattern, text));
        }
    }

    [Theory]
    [InlineData("gpt-2", "𝐀𝐁 𝟘𝟙🦙", "𝐀𝐁| 𝟘𝟙|🦙")]
    [InlineData("llama-bpe", "🦙𝐀𝐁𝟘𝟙𝟚𝟛", "🦙𝐀𝐁|𝟘𝟙𝟚|𝟛")]
    [InlineData("qwen2", "x𝟘𝟙 𠀀𠀁", "x|𝟘|𝟙| 𠀀𠀁")]
    public void Letters_and_digits_beyond_the_first_plane_are_known(string name, string text, string expected) =>
        Assert.Equal(expected.Split('|'), Cut(Pattern(name), text));

    private static WordPattern Pattern(string name) => name switch
    {
        "each digit" => WordPattern.EachDigit,
        "digit runs" => WordPattern.DigitRuns,
        _ => WordPatterns.TryGet(name, out var words) ? Assert.Single(words.Patterns) : throw new ArgumentException(name),
    };

    /// <summary>Each pattern cuts the words of the one before.</summary>
    internal static IEnumerable<string> Cut(WordPattern[] patterns, string text) =>
        patterns.Aggregate<WordPattern, IEnumerable<string>>([text], (words, pattern) => words.SelectMany(word => Cut(pattern, word)));

    private static List<string> Cut(WordPattern pattern, string text)
    {
        var words = new List<string>();
        for (var at = 0; at < text.Length; at += words[^1].Length) words.Add(text.Substring(at, pattern.Next(text.AsSpan(at))));
        return words;
    }
}
