using FastLayers.Loading;

namespace FastLayers.Fuzz;

/// <summary>
/// Damages metadata value by value, so that every result is a readable GGUF file and reaches the code that uses the values:
/// keys lost or misspelled, other types, numbers at the edge, arrays cut, repeated or shuffled, texts of other tokens.
/// </summary>
public sealed class MetadataMutator(Random random)
{
    private static readonly object[] Scalars =
    [
        0u, 1u, 2u, 258u, 259u, (uint)int.MaxValue, 1u << 31, uint.MaxValue, -1, int.MinValue, -1L, 1L << 32, long.MaxValue, 1UL << 63, ulong.MaxValue,
        (byte)3, 0.5f, float.NaN, float.PositiveInfinity, 1e300, true, false, "", "llama", "gpt2", "bert", "t5", "default", "llama-bpe", "no such kind",
    ];

    private static readonly string[] Texts =
    [
        "", " ", "▁", "▁▁", "a", "ab", "a b", "a  b", " a", "a ", "Ġ", "<0x00>", "<0x0G>", "<0x>", "<0xFFF>", "<unk>", "<s>", "</s>", "[UNK]", "é", "e\u0301", "😀", "\0", "\uFFFD",
        "abababababababababababababababababababab", "<|endoftext|>", "日本", new string('x', 3000),
    ];

    /// <summary>A GGUF file of the metadata after one to three damages.</summary>
    public byte[] Mutate(IReadOnlyDictionary<string, object> metadata)
    {
        var values = new Dictionary<string, object>(metadata);
        for (var count = random.Next(1, 4); count > 0 && values.Count > 0; count--) MutateOne(values);
        var writer = new GgufWriter();
        foreach (var (key, value) in values) writer.SetMetadata(key, value);
        return GgufSeeds.Bytes(writer);
    }

    private void MutateOne(Dictionary<string, object> values)
    {
        var key = values.Keys.ElementAt(random.Next(values.Count));
        switch (random.Next(8))
        {
            case 0:
                values.Remove(key);
                break;
            case 1:
                values[key + "x"] = values[key];
                values.Remove(key);
                break;
            case 2:
                values[key] = Scalars[random.Next(Scalars.Length)];
                break;
            case 3:
                values[key] = values.Values.ElementAt(random.Next(values.Count));
                break;
            default:
                values[key] = values[key] is Array array ? MutateArray(array) : Scalars[random.Next(Scalars.Length)];
                break;
        }
    }

    private Array MutateArray(Array array)
    {
        var elements = array.Cast<object>().ToList();
        var (start, count) = Range(elements.Count);
        switch (random.Next(6))
        {
            case 0:
                elements.RemoveRange(start, count);
                break;
            case 1:
                elements.InsertRange(random.Next(elements.Count + 1), elements.GetRange(start, count));
                break;
            case 2:
                elements.Reverse(start, count);
                break;
            default:
                for (var index = start; index < start + Math.Min(count, 4); index++) elements[index] = Another(elements, index);
                break;
        }
        var result = Array.CreateInstance(array.GetType().GetElementType()!, elements.Count);
        for (var index = 0; index < elements.Count; index++) result.SetValue(elements[index], index);
        return result;
    }

    private object Another(List<object> elements, int index) => elements[index] switch
    {
        string text => random.Next(4) switch
        {
            0 => elements[random.Next(elements.Count)],
            1 => text[..random.Next(text.Length + 1)] is var start && start.Length > 0 && char.IsHighSurrogate(start[^1]) ? start[..^1] : start,
            2 => text + text,
            _ => Texts[random.Next(Texts.Length)],
        },
        float => random.Next(5) switch { 0 => float.NaN, 1 => float.PositiveInfinity, 2 => float.NegativeInfinity, 3 => -1e30f, _ => (object)random.NextSingle() },
        int => random.Next(3) switch { 0 => int.MinValue, 1 => int.MaxValue, _ => random.Next(-1, 8) },
        byte => (byte)random.Next(256),
        var other => other,
    };

    private (int Start, int Count) Range(int length)
    {
        if (length == 0) return (0, 0);
        var start = random.Next(length);
        return (start, random.Next(1, Math.Min(length - start, 1 << random.Next(10)) + 1));
    }
}
