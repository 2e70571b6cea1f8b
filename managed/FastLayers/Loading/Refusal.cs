using System.Text;

namespace FastLayers.Loading;

/// <summary>The one wording of every refusal of a model file: file, place, expected, found.</summary>
internal static class Refusal
{
    /// <summary>Names quoted in a message are cut here, so that a hostile name of a gigabyte stays a readable line.</summary>
    private const int LongestQuote = 200;

    /// <summary>The axes of a shape, or numbers of a list, that a message shows.</summary>
    private const int LongestShape = 8;

    /// <summary>The error for content that the format does not allow.</summary>
    public static InvalidDataException Of(string file, string place, string expected, string found) =>
        new($"{file}: {place}: expected {expected}, found {found}.");

    /// <summary>A name or text from a file made fit for a message: in quotes, cut to length, control characters shown as escapes.</summary>
    public static string Quote(string text) => $"'{Clip(text)}'";

    /// <summary>A text that may repeat content of a file, made fit for a message.</summary>
    public static string Clip(string text)
    {
        var shown = new StringBuilder();
        foreach (var character in text.Length > LongestQuote ? text.AsSpan(0, LongestQuote) : text)
        {
            if (char.IsControl(character) || char.IsSurrogate(character)) shown.Append($"\\u{(int)character:x4}");
            else shown.Append(character);
        }
        return text.Length > LongestQuote ? shown.Append('…').ToString() : shown.ToString();
    }

    /// <summary>How a tensor is named in a message.</summary>
    public static string Tensor(string name) => $"tensor {Quote(name)}";

    /// <summary>How a shape is written in a message.</summary>
    public static string Shape(ReadOnlySpan<long> shape) =>
        shape.Length > LongestShape
            ? $"[{string.Join(", ", shape[..LongestShape].ToArray())}, … {shape.Length} in all]"
            : $"[{string.Join(", ", shape.ToArray())}]";
}
