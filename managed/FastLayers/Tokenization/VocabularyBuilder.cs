namespace FastLayers.Tokenization;

/// <summary>Collects tokens that a file lists in any order, each with its id.</summary>
internal sealed class VocabularyBuilder(string source)
{
    /// <summary>How many ids may be left out between tokens: more is a damaged file, and would cost its size in memory.</summary>
    private const int MaxGaps = 1 << 20;

    private readonly Dictionary<int, (string Text, TokenKind Kind, AddedTokenRules Rules)> _tokens = [];
    private int _highest = -1;

    /// <exception cref="InvalidDataException">The id is negative or another token has it.</exception>
    public void Add(int id, string text, TokenKind kind)
    {
        if (id < 0) throw new InvalidDataException($"{source}: token '{text}' has the id {id}; ids start at 0.");
        if (!_tokens.TryAdd(id, (text, kind, AddedTokenRules.None)))
        {
            throw new InvalidDataException($"{source}: tokens '{_tokens[id].Text}' and '{text}' have the same id {id}.");
        }
        _highest = Math.Max(_highest, id);
    }

    /// <summary>Adds an added token, which may be part of the vocabulary already.</summary>
    /// <exception cref="InvalidDataException">Another token has its id.</exception>
    public void AddAdded(int id, string text, TokenKind kind, AddedTokenRules rules)
    {
        if (!_tokens.TryGetValue(id, out var known) || known.Text != text) Add(id, text, kind);
        _tokens[id] = (text, kind, rules);
    }

    public Vocabulary Build()
    {
        if (_highest >= (long)_tokens.Count + MaxGaps)
        {
            throw new InvalidDataException($"{source}: the highest token id is {_highest}, but there are only {_tokens.Count} tokens.");
        }
        var texts = new string[_highest + 1];
        var kinds = new TokenKind[_highest + 1];
        Array.Fill(texts, "");
        Array.Fill(kinds, TokenKind.Unused);
        foreach (var (id, token) in _tokens) (texts[id], kinds[id]) = (token.Text, token.Kind);
        var vocabulary = new Vocabulary(source, texts, kinds);
        foreach (var (id, token) in _tokens)
        {
            if (token.Rules != AddedTokenRules.None) vocabulary.AddedRules.Add(id, token.Rules);
        }
        return vocabulary;
    }
}
