using System.Globalization;
using System.Text;

namespace FastLayers.Tokenization.Unicode;

/// <summary>
/// Unicode normalization (UAX #15) from a table in the assembly. The framework's own needs ICU and gives text back unchanged
/// where globalization is invariant, so ids would depend on the host.
/// </summary>
internal static class UnicodeNormalizer
{
    private const int HangulFirst = 0xAC00;
    private const int HangulCount = 11172;
    private const int LeadFirst = 0x1100;
    private const int LeadCount = 19;
    private const int VowelFirst = 0x1161;
    private const int VowelCount = 21;
    private const int TailFirst = 0x11A7;
    private const int TailCount = 28;

    private static readonly Lazy<Table> s_table = new(Table.Read);

    /// <summary>Canonical decomposition.</summary>
    public static string FormD(string text) => IsAscii(text) ? text : ToText(Decompose(text, compatibility: false));

    /// <summary>Canonical decomposition followed by canonical composition.</summary>
    public static string FormC(string text) => IsAscii(text) ? text : ToText(Compose(Decompose(text, compatibility: false)));

    /// <summary>Compatibility decomposition.</summary>
    public static string FormKD(string text) => IsAscii(text) ? text : ToText(Decompose(text, compatibility: true));

    /// <summary>Compatibility decomposition followed by canonical composition.</summary>
    public static string FormKC(string text) => IsAscii(text) ? text : ToText(Compose(Decompose(text, compatibility: true)));

    private static bool IsAscii(string text) => System.Text.Ascii.IsValid(text);

    private static List<int> Decompose(string text, bool compatibility)
    {
        var table = s_table.Value;
        var codes = new List<int>(text.Length + 8);
        foreach (var rune in text.EnumerateRunes()) Expand(rune.Value, table, compatibility, codes);
        Reorder(codes, table);
        return codes;
    }

    private static void Expand(int code, Table table, bool compatibility, List<int> codes)
    {
        int syllable = code - HangulFirst;
        if ((uint)syllable < HangulCount)
        {
            codes.Add(LeadFirst + (syllable / (VowelCount * TailCount)));
            codes.Add(VowelFirst + (syllable % (VowelCount * TailCount) / TailCount));
            if (syllable % TailCount != 0) codes.Add(TailFirst + (syllable % TailCount));
            return;
        }

        if (table.Canonical.TryGetValue(code, out var parts) || (compatibility && table.Compatibility.TryGetValue(code, out parts)))
        {
            foreach (int part in parts) Expand(part, table, compatibility, codes);
            return;
        }

        codes.Add(code);
    }

    /// <summary>Sorts each run of combining marks by class, keeping the order of equals.</summary>
    private static void Reorder(List<int> codes, Table table)
    {
        for (int start = 0; start < codes.Count; start++)
        {
            if (table.Class(codes[start]) == 0) continue;
            int end = start;
            while (end < codes.Count && table.Class(codes[end]) != 0) end++;
            if (end - start > 1)
            {
                int[] sorted = [.. codes.GetRange(start, end - start).OrderBy(table.Class)];
                for (int i = start; i < end; i++) codes[i] = sorted[i - start];
            }

            start = end;
        }
    }

    private static List<int> Compose(List<int> codes)
    {
        var table = s_table.Value;
        var result = new List<int>(codes.Count);
        int starter = -1;
        int lastClass = 0;
        foreach (int code in codes)
        {
            int combining = table.Class(code);
            bool blocked = starter >= 0 && result.Count - 1 > starter && lastClass >= combining;
            if (starter >= 0 && !blocked && TryPair(result[starter], code, table, out int pair))
            {
                result[starter] = pair;
                continue;
            }

            if (combining == 0) starter = result.Count;
            lastClass = combining;
            result.Add(code);
        }

        return result;
    }

    private static bool TryPair(int first, int second, Table table, out int pair)
    {
        int lead = first - LeadFirst;
        int vowel = second - VowelFirst;
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount)
        {
            pair = HangulFirst + (((lead * VowelCount) + vowel) * TailCount);
            return true;
        }

        int syllable = first - HangulFirst;
        int tail = second - TailFirst;
        if ((uint)syllable < HangulCount && syllable % TailCount == 0 && tail is > 0 and < TailCount)
        {
            pair = first + tail;
            return true;
        }

        return table.Pairs.TryGetValue((first, second), out pair);
    }

    private static string ToText(List<int> codes)
    {
        var text = new StringBuilder(codes.Count);
        foreach (int code in codes) text.Append(new Rune(code).ToString());
        return text.ToString();
    }

    private sealed class Table
    {
        private readonly Dictionary<int, int> _classes = [];

        public Dictionary<int, int[]> Canonical { get; } = [];

        public Dictionary<int, int[]> Compatibility { get; } = [];

        public Dictionary<(int First, int Second), int> Pairs { get; } = [];

        public int Class(int code) => _classes.GetValueOrDefault(code);

        public static Table Read()
        {
            var table = new Table();
            using var stream = typeof(UnicodeNormalizer).Assembly.GetManifestResourceStream("FastLayers.Tokenization.Unicode.normalization.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                if (line.StartsWith('#')) continue;
                string[] fields = line.Split(';');
                int code = Hex(fields[0]);
                if (fields[1].Length > 0) table._classes[code] = int.Parse(fields[1], CultureInfo.InvariantCulture);
                if (fields[3].Length > 0) table.Compatibility[code] = [.. fields[3].Split(' ').Select(Hex)];
                if (fields[2].Length == 0) continue;
                int[] parts = [.. fields[2].Split(' ').Select(Hex)];
                table.Canonical[code] = parts;
                if (parts.Length == 2 && fields[4].Length == 0) table.Pairs[(parts[0], parts[1])] = code;
            }

            return table;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
