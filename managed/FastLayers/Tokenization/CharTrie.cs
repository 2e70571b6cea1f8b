namespace FastLayers.Tokenization;

/// <summary>Strings by common prefix: one step per UTF-16 unit, a value at the end of each string.</summary>
internal sealed class CharTrie
{
    public const int Root = 0;

    /// <summary>An odd number near 2^64 divided by the golden ratio: multiplying by it keeps keys different and spreads their bits.</summary>
    public const ulong Spread = 0x9E37_79B9_7F4A_7C15;

    private readonly Dictionary<ulong, int> _steps = [];
    private readonly List<int> _values = [-1];

    /// <summary>Adds a string, or replaces its value (not negative).</summary>
    public void Add(ReadOnlySpan<char> text, int value)
    {
        var node = Root;
        foreach (var c in text)
        {
            if (!TryStep(node, c, out var next))
            {
                next = _values.Count;
                _values.Add(-1);
                _steps.Add(Step(node, c), next);
            }
            node = next;
        }
        _values[node] = value;
    }

    public bool TryStep(int node, char c, out int next) => _steps.TryGetValue(Step(node, c), out next);

    public bool TryGetValue(int node, out int value) => (value = _values[node]) >= 0;

    /// <summary>The length of the longest string that <paramref name="text"/> starts with, or 0.</summary>
    public int LongestPrefix(ReadOnlySpan<char> text, out int value)
    {
        value = -1;
        var (node, longest) = (Root, 0);
        for (var i = 0; i < text.Length && TryStep(node, text[i], out node); i++)
        {
            if (!TryGetValue(node, out var found)) continue;
            (value, longest) = (found, i + 1);
        }
        return longest;
    }

    private static ulong Step(int node, char c) => ((ulong)(uint)node << 16 | c) * Spread;
}
