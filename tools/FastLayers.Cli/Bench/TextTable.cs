using System.Text;

namespace FastLayers.Cli.Bench;

/// <summary>Rows of text under a header, as a person, a document or a spreadsheet reads them.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] row) => _rows.Add(row);

    /// <summary>Columns of equal width, the first aligned left and the others right.</summary>
    public string ToAligned() => Lines(cells => string.Join("  ", cells).TrimEnd(), null);

    /// <summary>A table of Markdown that is aligned in its source too.</summary>
    public string ToMarkdown() => Lines(cells => $"| {string.Join(" | ", cells)} |", (width, column) => column == 0 ? new string('-', width) : new string('-', width - 1) + ":");

    /// <summary>Comma-separated values (RFC 4180).</summary>
    public string ToCsv()
    {
        var text = new StringBuilder();
        foreach (string[] row in _rows.Prepend(header)) text.AppendLine(string.Join(',', row.Select(Quoted)));
        return text.ToString();
    }

    private static string Quoted(string cell) => cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;

    private string Lines(Func<IEnumerable<string>, string> join, Func<int, int, string>? rule)
    {
        // A rule of Markdown has at least three characters.
        int[] widths = [.. header.Select((name, column) => Math.Max(3, _rows.Select(row => row[column].Length).Append(name.Length).Max()))];
        var text = new StringBuilder();
        void Line(string[] cells) => text.AppendLine(join(cells.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
        Line(header);
        if (rule is not null) text.AppendLine(join(widths.Select(rule)));
        foreach (string[] row in _rows) Line(row);
        return text.ToString();
    }
}
