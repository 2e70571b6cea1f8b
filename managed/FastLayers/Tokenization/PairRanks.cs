namespace FastLayers.Tokenization;

/// <summary>A merge list: the pair of tokens that is joined, its place in the list, and the token it becomes.</summary>
internal readonly struct PairRanks : IPairRanks
{
    private readonly Dictionary<ulong, (int Rank, int Id)> _merges;

    private PairRanks(Dictionary<ulong, (int Rank, int Id)> merges) => _merges = merges;

    /// <summary>Looks up the tokens of a merge list.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="merges">The pairs, first merge first.</param>
    /// <param name="source">The file with the merges, if it is not that of the vocabulary.</param>
    /// <exception cref="InvalidDataException">A piece or the merged text is no token.</exception>
    public static PairRanks Create(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, string? source = null)
    {
        var table = new Dictionary<ulong, (int, int)>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            var key = Key(Id(left), Id(right));
            if (!table.TryAdd(key, (rank, Id(left + right))))
            {
                throw new InvalidDataException($"{source ?? vocabulary.Source}: merges {table[key].Item1} and {rank} are both '{left} {right}'; each merge must be different.");
            }

            int Id(string piece)
            {
                return vocabulary.TryGetId(piece, out var id) ? id : throw new InvalidDataException(
                    $"{source ?? vocabulary.Source}: merge {rank} ('{left} {right}') needs '{piece}', which is not in the vocabulary.");
            }
        }
        return new PairRanks(table);
    }

    /// <summary>Splits a merge written as two pieces with one space between.</summary>
    /// <exception cref="InvalidDataException">The line is not two pieces.</exception>
    public static (string Left, string Right) ParseLine(string source, string line, int rank)
    {
        var space = line.IndexOf(' ');
        if (space <= 0 || space == line.Length - 1 || line.IndexOf(' ', space + 1) >= 0)
        {
            throw new InvalidDataException($"{source}: merge {rank} should be two pieces with one space between, found '{line}'.");
        }
        return (line[..space], line[(space + 1)..]);
    }

    public bool TryRank(in Symbol left, in Symbol right, out int rank, out int mergedId)
    {
        var found = _merges.TryGetValue(Key(left.Id, right.Id), out var merge);
        (rank, mergedId) = merge;
        return found;
    }

    // The hash of a ulong is the xor of its halves, the same for all pairs of equal tokens: the product spreads them.
    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) * CharTrie.Spread;
}
