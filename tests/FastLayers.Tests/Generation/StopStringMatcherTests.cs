using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FastLayers.Tests.Generation;

public class StopStringMatcherTests
{
    [Theory]
    [InlineData("one two three", "two", "one ")]
    [InlineData("two", "two", "")]
    [InlineData("one two", "three", "one two")]
    [InlineData("one tw", "two", "one tw")]
    [InlineData("aaaab", "aab", "aa")]
    [InlineData("abababac", "ababac", "ab")]
    [InlineData("a😀b", "😀", "a")]
    [InlineData("", "x", "")]
    [InlineData("straße STRASSE", "ss", "straße STRASSE")]
    public void Text_ends_before_the_stop_string_wherever_it_is_cut(string text, string stop, string expected)
    {
        for (int first = 0; first <= text.Length; first++)
        {
            for (int second = first; second <= text.Length; second++)
            {
                var (passed, stopped) = Run([text[..first], text[first..second], text[second..]], [stop]);
                Assert.Equal(expected, passed);
                Assert.Equal(text.Contains(stop, StringComparison.Ordinal), stopped);
            }
        }
    }

    [Fact]
    public void Only_what_may_be_the_start_of_a_stop_string_is_held_back()
    {
        var matcher = new StopStringMatcher(["</s>", "\n\n"]);

        Assert.Equal("a", matcher.Append("a<"));
        Assert.Equal("", matcher.Append("/"));
        Assert.Equal("</b", matcher.Append("b\n"));
        Assert.Equal("\nc", matcher.Append("c"));
        Assert.Equal("d", matcher.Append("d</s"));
        Assert.False(matcher.IsStopped);
        Assert.Equal("", matcher.Append(">e"));
        Assert.True(matcher.IsStopped);
        Assert.Equal("", matcher.Append("f"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void The_end_gives_back_what_was_held()
    {
        var matcher = new StopStringMatcher(["stop"]);
        Assert.Equal("a ", matcher.Append("a sto"));
        Assert.Equal("sto", matcher.Flush());
        Assert.Equal("", matcher.Flush());
        Assert.False(matcher.IsStopped);
    }

    [Fact]
    public void The_stop_string_that_is_complete_first_counts()
    {
        Assert.Equal(("ab", true), Run(["abcde"], ["bcde", "c"]));
        Assert.Equal(("a", true), Run(["abcde"], ["c", "bc"]));
        Assert.Equal(("a", true), Run(["abcde"], ["bc", "c"]));
        Assert.Equal(("a", true), Run(["abcde"], ["bcd", "b"]));
    }

    [Fact]
    public void Without_stop_strings_everything_passes_at_once()
    {
        var matcher = new StopStringMatcher([]);
        Assert.Equal("a", matcher.Append("a"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void Empty_stop_strings_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new StopStringMatcher(["a", ""]));
        Assert.Throws<ArgumentNullException>(() => new StopStringMatcher([null!]));
        Assert.Throws<ArgumentNullException>(() => new StopStringMatcher(null!));
        Assert.Throws<ArgumentNullException>(() => new StopStringMatcher(["a"]).Append(null!));
    }

    /// <summary>Texts and stop strings of two letters, which overlap themselves and each other all the time, cut anywhere.</summary>
    [Property(MaxTest = 2000)]
    public Property Cuts_do_not_change_what_passes() => Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
    {
        var random = new Random(seed);
        string text = Letters(random, random.Next(30));
        string[] stops = [.. Enumerable.Range(0, random.Next(4)).Select(_ => Letters(random, 1 + random.Next(6)))];
        var pieces = new List<string>();
        for (int start = 0; start < text.Length;)
        {
            int length = random.Next(Math.Min(6, text.Length - start) + 1);
            pieces.Add(text.Substring(start, length));
            start += length;
        }

        Assert.Equal(Expected(text, stops), Run(pieces, stops));
    });

    /// <summary>The text up to the stop string that ends first, found character by character.</summary>
    private static (string Text, bool Stopped) Expected(string text, string[] stops)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string[] complete = [.. stops.Where(s => text[..end].EndsWith(s, StringComparison.Ordinal))];
            if (complete.Length > 0) return (text[..(end - complete.Max(s => s.Length))], true);
        }

        return (text, false);
    }

    private static (string Text, bool Stopped) Run(IEnumerable<string> pieces, string[] stops)
    {
        var matcher = new StopStringMatcher(stops);
        var text = new StringBuilder();
        foreach (string piece in pieces) text.Append(matcher.Append(piece));
        text.Append(matcher.Flush());
        return (text.ToString(), matcher.IsStopped);
    }

    private static string Letters(Random random, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => random.Next(2) == 0 ? 'a' : 'b'));
}
