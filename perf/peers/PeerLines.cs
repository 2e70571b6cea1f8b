using System.Globalization;

namespace FastLayers.Peers;

/// <summary>The lines that a peer and <c>fastlayers bench</c> speak.</summary>
internal static class PeerLines
{
    /// <summary>Writes one line at once.</summary>
    public static void Answer(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    /// <summary>Says that a line was done, in nanoseconds.</summary>
    /// <param name="wall">Time on the clock.</param>
    /// <param name="cpu">Time that all threads computed.</param>
    public static void Done(TimeSpan wall, TimeSpan cpu) =>
        Answer(string.Create(CultureInfo.InvariantCulture, $"done {wall.Ticks * TimeSpan.NanosecondsPerTick} {cpu.Ticks * TimeSpan.NanosecondsPerTick}"));

    /// <summary>Says why it ends.</summary>
    public static void Error(Exception exception) => Answer("error " + exception.Message.ReplaceLineEndings(" "));

    /// <summary>A number of a line.</summary>
    /// <exception cref="FormatException">It is none, or negative.</exception>
    public static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
