namespace FastLayers;

/// <summary>
/// Watches streamed text for stop strings: passes on what is safe and holds back what may be the start of one. What comes out does not depend
/// on where the pieces are cut: of several stop strings the one that is complete first ends the text.
/// </summary>
public sealed class StopStringMatcher
{
    private readonly string[] _stops;
    private readonly int _longest;
    private string _held = "";

    /// <summary>Creates a matcher.</summary>
    /// <param name="stopStrings">The texts to stop at; may be none.</param>
    /// <exception cref="ArgumentException">A stop string is null or empty.</exception>
    public StopStringMatcher(IReadOnlyList<string> stopStrings)
    {
        ArgumentNullException.ThrowIfNull(stopStrings);
        foreach (string stop in stopStrings) ArgumentException.ThrowIfNullOrEmpty(stop, nameof(stopStrings));
        _stops = [.. stopStrings];
        _longest = _stops.Length == 0 ? 0 : _stops.Max(s => s.Length);
    }

    /// <summary>Whether a stop string came; nothing is passed on after.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Adds a piece and returns the text that is safe to show: up to a stop string, or short of a possible start of one.</summary>
    public string Append(string piece)
    {
        ArgumentNullException.ThrowIfNull(piece);
        if (IsStopped) return "";
        if (_stops.Length == 0) return piece;
        string text = _held + piece;
        if (FirstStop(text) is { } start)
        {
            IsStopped = true;
            _held = "";
            return text[..start];
        }

        int held = HeldLength(text);
        _held = text[^held..];
        return text[..^held];
    }

    /// <summary>The text held back, when no more will come.</summary>
    public string Flush()
    {
        string rest = _held;
        _held = "";
        return rest;
    }

    /// <summary>Where the stop string starts that is complete first, the longest of those that end together; null if there is none.</summary>
    private int? FirstStop(string text)
    {
        int? start = null;
        int end = int.MaxValue;
        foreach (string stop in _stops)
        {
            int index = text.IndexOf(stop, StringComparison.Ordinal);
            if (index < 0 || index + stop.Length > end || (index + stop.Length == end && index > start)) continue;
            start = index;
            end = index + stop.Length;
        }

        return start;
    }

    /// <summary>Length of the longest end of the text that is a start of a stop string.</summary>
    private int HeldLength(string text)
    {
        for (int length = Math.Min(_longest - 1, text.Length); length > 0; length--)
        {
            foreach (string stop in _stops)
            {
                if (stop.Length > length && string.CompareOrdinal(text, text.Length - length, stop, 0, length) == 0) return length;
            }
        }

        return 0;
    }
}
