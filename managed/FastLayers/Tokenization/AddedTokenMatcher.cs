using System.Buffers;
using System.Globalization;
using System.Text;

namespace FastLayers.Tokenization;

/// <summary>Finds the tokens that are cut out of a text before the model's own algorithm sees it: the leftmost, and of those the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly CharTrie _trie = new();
    private readonly Vocabulary _vocabulary;
    private readonly SearchValues<char> _userStarts;
    private readonly SearchValues<char> _allStarts;

    /// <param name="vocabulary">Its control, unknown and user-defined tokens are found.</param>
    public AddedTokenMatcher(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var user = new HashSet<char>();
        var all = new HashSet<char>();
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var text = vocabulary.Text(id);
            if (text.Length == 0 || vocabulary.Kind(id) is not (TokenKind.Control or TokenKind.Unknown or TokenKind.UserDefined)) continue;
            _trie.Add(text, id);
            all.Add(text[0]);
            if (vocabulary.Kind(id) == TokenKind.UserDefined) user.Add(text[0]);
        }
        _userStarts = SearchValues.Create([.. user]);
        _allStarts = SearchValues.Create([.. all]);
    }

    /// <summary>A token found at [Start, End) of the text, including white space that it takes with it.</summary>
    public readonly record struct Match(int Id, int Start, int End);

    /// <summary>Finds the first token at or after <paramref name="from"/>.</summary>
    public bool TryFind(string text, int from, bool withSpecial, out Match match)
    {
        var starts = withSpecial ? _allStarts : _userStarts;
        for (var at = from; at < text.Length; at++)
        {
            var skip = text.AsSpan(at).IndexOfAny(starts);
            if (skip < 0) break;
            at += skip;
            if (TryMatch(text, at, withSpecial, out var id, out var end))
            {
                var rules = _vocabulary.AddedRules.GetValueOrDefault(id);
                var start = at;
                if (rules.HasFlag(AddedTokenRules.TakesSpaceBefore))
                {
                    while (start > from && char.IsWhiteSpace(text[start - 1])) start--;
                }
                if (rules.HasFlag(AddedTokenRules.TakesSpaceAfter))
                {
                    while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
                }
                match = new Match(id, start, end);
                return true;
            }
        }
        match = default;
        return false;
    }

    private bool TryMatch(string text, int at, bool withSpecial, out int id, out int end)
    {
        (id, end) = (-1, at);
        var node = CharTrie.Root;
        for (var i = at; i < text.Length && _trie.TryStep(node, text[i], out node); i++)
        {
            if (_trie.TryGetValue(node, out var found)
                && (withSpecial || _vocabulary.Kind(found) == TokenKind.UserDefined)
                && (!_vocabulary.AddedRules.GetValueOrDefault(found).HasFlag(AddedTokenRules.WholeWord) || IsWholeWord(text, at, i + 1)))
            {
                (id, end) = (found, i + 1);
            }
        }
        return id >= 0;
    }

    private static bool IsWholeWord(string text, int start, int end) =>
        !(Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var before, out _) == OperationStatus.Done && IsWordCharacter(before))
        && !(Rune.DecodeFromUtf16(text.AsSpan(end), out var after, out _) == OperationStatus.Done && IsWordCharacter(after));

    /// <summary>The class <c>\w</c>: letters, marks, decimal and letter-like numbers, and what connects them.</summary>
    private static bool IsWordCharacter(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation || rune.Value is 0x200C or 0x200D;
}
