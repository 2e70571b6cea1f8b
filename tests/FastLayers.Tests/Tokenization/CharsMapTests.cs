using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FastLayers.Loading;
using FastLayers.Tokenization;

namespace FastLayers.Tests.Tokenization;

public class CharsMapTests
{
    private static readonly (string Key, string Value)[] Rules =
    [
        ("\t", " "), ("\u00A0", " "), ("\u3000", " "), ("ﬁ", "fi"), ("a\u0301", "á"), ("a", "b"), ("\u200B", ""), ("あ", "漢字"),
    ];

    [Theory]
    [InlineData("", "")]
    [InlineData("xyz", "xyz")]
    [InlineData("a\u0301a", "áb")] // the longest key
    [InlineData("ﬁ\tx\u3000\u00A0あ", "fi x  漢字")]
    [InlineData("x\u200By", "xy")]
    [InlineData("🦙ﬁ🦙", "🦙fi🦙")]
    [InlineData("\u00A1", "\u00A1")] // shares its first byte with a key
    [InlineData("\0a", "\0b")]
    public void The_longest_known_prefix_is_replaced(string text, string expected) =>
        Assert.Equal(expected, new CharsMap("test", Build(Rules)).Normalize(text));

    /// <summary>The published table and a small unigram model, against the ids of SentencePiece itself.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ids_with_the_published_table_equal_those_of_sentence_piece(bool signed)
    {
        using var model = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Data("tokenizers", "sentencepiece-unigram.json")));
        var root = model.RootElement;
        var table = File.ReadAllBytes(TestPaths.Data("tokenizers", "nmt-nfkc.charsmap"));
        var tokenizer = Tokenizer.FromMetadata(new ModelMetadata("unigram.gguf", new Dictionary<string, object>
        {
            ["tokenizer.ggml.model"] = "t5",
            ["tokenizer.ggml.tokens"] = root.GetProperty("pieces").Deserialize<string[]>()!,
            ["tokenizer.ggml.scores"] = root.GetProperty("scores").Deserialize<float[]>()!,
            ["tokenizer.ggml.token_type"] = root.GetProperty("types").Deserialize<int[]>()!,
            ["tokenizer.ggml.precompiled_charsmap"] = signed ? Array.ConvertAll(table, value => (sbyte)value) : table,
            ["tokenizer.ggml.remove_extra_whitespaces"] = true,
        }));
        var cases = root.GetProperty("cases").EnumerateArray().ToArray();
        Assert.Equal(400, cases.Length);
        foreach (var entry in cases) Assert.Equal(entry[1].Deserialize<int[]>(), tokenizer.Encode(entry[0].GetString()!, addSpecial: false));
    }

    [Fact]
    public void Damaged_tables_are_refused()
    {
        var table = Build(Rules);
        for (var unit = 0; unit < 4096; unit++)
        {
            var at = 4 + 4 * unit;
            var value = BitConverter.ToUInt32(table, at);
            if (value <= int.MaxValue) continue;
            Assert.Contains("without a value", Damage(table, at, value & int.MaxValue), StringComparison.Ordinal);
            Assert.Contains("replacement at 65535,", Damage(table, at, 0x8000_FFFF), StringComparison.Ordinal);
        }
        var text = table.ToArray();
        text[^2] = 0xFF;
        Assert.Contains("no UTF-8", Assert.Throws<InvalidDataException>(() => new CharsMap("test", text)).Message, StringComparison.Ordinal);

        // A unit whose children start where the root's do leads back to itself.
        var circle = new byte[4 + 4 * 256 + 1];
        BinaryPrimitives.WriteUInt32LittleEndian(circle, 4 * 256);
        BinaryPrimitives.WriteUInt32LittleEndian(circle.AsSpan(4), 1 << 10);
        BinaryPrimitives.WriteUInt32LittleEndian(circle.AsSpan(4 + 4 * (1 ^ 'a')), 'a' | (uint)'a' << 10);
        Assert.Contains($"leads from unit {1 ^ 'a'} of its index back", Assert.Throws<InvalidDataException>(() => new CharsMap("test", circle)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_and_json_use_it()
    {
        var table = Build(Rules);
        var tokenizer = Tokenizer.FromMetadata(TestVocabularies.Stories.With(
            ("model", "t5"), ("precompiled_charsmap", table), ("remove_extra_whitespaces", true), ("add_eos_token", true)));
        Assert.Equal([1, .. TestVocabularies.StoriesTokenizer.Encode("b c", addSpecial: false), 2], tokenizer.Encode(" \tb \u3000 c\u00A0"));
    }

    private static string Damage(byte[] table, int at, uint unit)
    {
        var damaged = table.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(damaged.AsSpan(at), unit);
        return Assert.Throws<InvalidDataException>(() => new CharsMap("test", damaged)).Message;
    }

    /// <summary>A double array for the keys, made the slow way: each node takes the first offset at which all its children are free.</summary>
    private static byte[] Build((string Key, string Value)[] rules)
    {
        var replacements = new List<byte>();
        var keys = new List<(byte[] Key, int Value)>();
        foreach (var (key, value) in rules)
        {
            keys.Add((Encoding.UTF8.GetBytes(key), replacements.Count));
            replacements.AddRange(Encoding.UTF8.GetBytes(value));
            replacements.Add(0);
        }
        var units = new uint[4096];
        var used = new bool[units.Length];
        used[0] = true;
        var bases = new HashSet<int>();
        Place(0, keys, 0);

        var bytes = new byte[4 + 4 * units.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)(4 * units.Length));
        for (var i = 0; i < units.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 + 4 * i), units[i]);
        return [.. bytes, .. replacements];

        void Place(int node, List<(byte[] Key, int Value)> below, int depth)
        {
            var children = below.Where(entry => entry.Key.Length > depth).GroupBy(entry => entry.Key[depth]).ToList();
            var ends = below.Where(entry => entry.Key.Length == depth).ToList();
            var offset = Enumerable.Range(1, units.Length).First(candidate =>
                !bases.Contains(node ^ candidate) && children.All(child => !used[node ^ candidate ^ child.Key]) && (ends.Count == 0 || !used[node ^ candidate]));
            bases.Add(node ^ offset); // a child is known by its label alone, so no two nodes may look for theirs at one place
            units[node] |= (uint)offset << 10;
            if (ends.Count > 0)
            {
                units[node] |= 0x100;
                units[node ^ offset] = 0x8000_0000 | (uint)ends[0].Value;
                used[node ^ offset] = true;
            }
            foreach (var child in children)
            {
                used[node ^ offset ^ child.Key] = true;
                units[node ^ offset ^ child.Key] = child.Key;
            }
            foreach (var child in children) Place(node ^ offset ^ child.Key, [.. child], depth + 1);
        }
    }
}
