namespace FastLayers.Tokenization;

/// <summary>Finds the spellings of control and user-defined tokens in text, the longest first where several begin at one place.</summary>
internal sealed class SpecialTokenFinder
{
    private readonly Dictionary<char, List<(string Text, int Id, bool IsControl)>> _byFirst = [];
    private readonly System.Buffers.SearchValues<char> _firsts;

    public SpecialTokenFinder(Vocabulary vocabulary)
    {
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kinds[id] is not (TokenKind.Control or TokenKind.UserDefined) || vocabulary.Pieces[id].Length == 0) continue;
            string text = vocabulary.Pieces[id];
            if (!_byFirst.TryGetValue(text[0], out var list)) _byFirst[text[0]] = list = [];
            list.Add((text, id, vocabulary.Kinds[id] == TokenKind.Control));
        }

        foreach (var list in _byFirst.Values) list.Sort((a, b) => a.Text.Length != b.Text.Length ? b.Text.Length - a.Text.Length : a.Id - b.Id);
        _firsts = System.Buffers.SearchValues.Create([.. _byFirst.Keys]);
    }

    /// <summary>The next special token at or after <paramref name="start"/>; at the end with length 0 if there is none.</summary>
    public (int Index, int Length, int Id) Next(string text, int start, bool parseControl)
    {
        while (start < text.Length)
        {
            int offset = text.AsSpan(start).IndexOfAny(_firsts);
            if (offset < 0) break;
            int index = start + offset;
            foreach (var (piece, id, isControl) in _byFirst[text[index]])
            {
                if ((parseControl || !isControl) && string.CompareOrdinal(text, index, piece, 0, piece.Length) == 0) return (index, piece.Length, id);
            }

            start = index + 1;
        }

        return (text.Length, 0, -1);
    }
}
