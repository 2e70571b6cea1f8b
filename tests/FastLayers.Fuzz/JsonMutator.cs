using System.Text;

namespace FastLayers.Fuzz;

/// <summary>
/// Damages JSON. Most damages keep it JSON, so that they reach the checks behind the parser: another value, a member or element
/// removed, repeated or copied elsewhere. The others break it: tokens lost, doubled or out of place, invalid UTF-8, deep nesting.
/// </summary>
public sealed class JsonMutator(Random random)
{
    private const string Marks = "{}[],:";

    private static readonly string[] Values =
    [
        "0", "-0", "-1", "1", "2", "4", "8", "16", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "18446744073709551616", "1e400", "-1e400", "1.5", "1e3", "1" + new string('0', 400), "null", "true", "false",
        "{}", "[]", "[[]]", "[0,0]", "[8,4]", "[0,32]", "[1,1,1,1,1]", "[4611686018427387904,4]", "{\"a\":{\"a\":[{}]}}", "[1,\"a\",null]",
    ];

    private static readonly string[] Texts =
    [
        "", "F32", "F16", "BF16", "I64", "F8_E4M3", "F4", "X9", "dtype", "shape", "data_offsets", "__metadata__", "weight_map", "a", "b", "c",
        "../a.safetensors", "/etc/passwd", "a/../../b", "c:\\\\x", "a\\u0000b", "\\ud800", "\\ud83d\\ude00", "config.json", "missing.safetensors",
        "model-00001-of-00002.safetensors", "a.b", new string('x', 300),
    ];

    /// <summary>One damage.</summary>
    public byte[] Mutate(byte[] json)
    {
        var text = Encoding.Latin1.GetString(json); // one character a byte: bytes that are not UTF-8 stay as they are
        var tokens = Tokens(text);
        if (tokens.Count == 0) return json;
        return Encoding.Latin1.GetBytes(random.Next(8) == 0 ? Break(text, tokens) : Change(text, tokens));
    }

    /// <summary>A damage after which the text is still JSON.</summary>
    private string Change(string text, List<Range> tokens)
    {
        var scalars = tokens.FindAll(token => !Marks.Contains(text[token.Start]));
        if (scalars.Count == 0) return text;
        var scalar = scalars[random.Next(scalars.Count)];
        var item = Item(text, tokens, random.Next(tokens.Count));
        switch (random.Next(5))
        {
            case 0:
                return Replace(text, item, text[item] + "," + text[item]);
            case 1:
                var end = item.End.Value < text.Length && text[item.End] == ',' ? item.End.Value + 1 : item.End.Value;
                return Replace(text, item.Start..end, "");
            case 2:
                return Replace(text, item, text[Item(text, tokens, random.Next(tokens.Count))]);
            default:
                return Replace(text, scalar, text[scalar.Start] == '"' ? AnyText(text, scalars) : Values[random.Next(Values.Length)]);
        }
    }

    private string AnyText(string text, List<Range> scalars)
    {
        var other = scalars[random.Next(scalars.Count)];
        return random.Next(3) == 0 && text[other.Start] == '"' ? text[other] : $"\"{Texts[random.Next(Texts.Length)]}\"";
    }

    /// <summary>A damage that mostly leaves no JSON.</summary>
    private string Break(string text, List<Range> tokens)
    {
        var token = tokens[random.Next(tokens.Count)];
        var other = tokens[random.Next(tokens.Count)];
        var (start, end) = (Math.Min(token.Start.Value, other.Start.Value), Math.Max(token.End.Value, other.End.Value));
        return random.Next(7) switch
        {
            0 => Replace(text, token, text[other]),
            1 => Replace(text, token, text[token] + text[token]),
            2 => Replace(text, token, ""),
            3 => text[..end] + text[start..],
            4 => text[..start] + text[end..],
            5 => Replace(text, token, Nested(1 << random.Next(12))),
            _ => Replace(text, token, "\"\xC3\x28\""),
        };
    }

    private string Nested(int depth) =>
        random.Next(2) == 0
            ? new string('[', depth) + new string(']', depth)
            : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "0" + new string('}', depth);

    private static string Replace(string text, Range range, string replacement) => text[..range.Start] + replacement + text[range.End..];

    /// <summary>The member or element that a token belongs to: from after the mark before it to the comma or bracket that ends it.</summary>
    private static Range Item(string text, List<Range> tokens, int index)
    {
        var first = index;
        while (first > 0 && text[tokens[first - 1].Start] is not ('{' or '[' or ',')) first--;
        var depth = 0;
        var last = first;
        for (; last < tokens.Count; last++)
        {
            var mark = text[tokens[last].Start];
            if (depth == 0 && mark is (',' or '}' or ']')) break;
            if (mark is '{' or '[') depth++;
            else if (mark is '}' or ']') depth--;
        }
        return last == first ? tokens[first] : tokens[first].Start..tokens[last - 1].End;
    }

    private static List<Range> Tokens(string text)
    {
        var tokens = new List<Range>();
        for (var at = 0; at < text.Length;)
        {
            var start = at++;
            if (text[start] <= ' ') continue;
            if (text[start] == '"')
            {
                while (at < text.Length && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
                at = Math.Min(at + 1, text.Length);
            }
            else if (!Marks.Contains(text[start]))
            {
                while (at < text.Length && !"{}[],:\" ".Contains(text[at])) at++;
            }
            tokens.Add(start..at);
        }
        return tokens;
    }
}
