using System.Text;

namespace FastLayers.Tests.Tokenization;

/// <summary>Texts that are hard for tokenizers, made from a seed.</summary>
internal static class RandomText
{
    private static readonly string[] Fragments =
    [
        "hello", "World", "'s", "'LL", "'", "don't", " ", "  ", "   ", "\n", "\r\n", "\t", "\u00A0", "\u3000", "\u2028", "été", "e\u0301", "ﬁ",
        "12", "345678", "½", "٣٤", "漢字", "かな", "한글", "🦙", "😶‍🌫️", "𝐀𝐁", "𝟘𝟙", "...", "_", "-", "<|endoftext|>", "<s>", "\0", "\u200B", "\uE000",
    ];

    /// <summary>A text without lone surrogates and without U+2581, which SentencePiece cannot tell from a space.</summary>
    public static string Create(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        for (var left = random.Next(25); left > 0; left--)
        {
            if (random.Next(3) > 0) text.Append(Fragments[random.Next(Fragments.Length)]);
            else text.Append(RandomRune(random).ToString());
        }
        return text.ToString();
    }

    private static Rune RandomRune(Random random)
    {
        var limit = random.Next(4) switch { 0 => 0x80, 1 => 0x800, 2 => 0xD800, _ => 0x110000 };
        for (; ; )
        {
            if (Rune.TryCreate(random.Next(limit), out var rune) && rune.Value != '▁') return rune;
        }
    }
}
