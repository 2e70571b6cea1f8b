using FastLayers.Kernels.Attention;

namespace FastLayers.Kernels.Pruning;

/// <summary>The sizes of <see cref="AttentionColumnSums"/>.</summary>
public readonly record struct AttentionColumnShape
{
    /// <summary>Query rows that attend, at least one.</summary>
    public required int Rows { get; init; }

    /// <summary>Keys of the sequence.</summary>
    public required int Tokens { get; init; }

    /// <summary>Query heads, a multiple of <see cref="KeyHeads"/>; consecutive query heads share a key head.</summary>
    public required int Heads { get; init; }

    /// <summary>Key heads.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>Values of a head.</summary>
    public required int Size { get; init; }

    /// <summary>Factor of the dot products, usually 1/√size.</summary>
    public required float Scale { get; init; }

    /// <summary>Floats of the scratch memory of the CPU kernel: the largest score and the sum of every row and head.</summary>
    public int ScratchLength => checked(2 * Rows * Heads);

    internal int HeadsPerKeyHead => Heads / KeyHeads;

    /// <summary>The sizes of attention over a paged cache.</summary>
    /// <exception cref="ArgumentException">The rows are not of one sequence, or see what is no token or has no page.</exception>
    internal static unsafe AttentionColumnShape Of(in AttentionArguments arguments, int tokens)
    {
        var shape = new AttentionColumnShape
        {
            Rows = arguments.Rows,
            Tokens = tokens,
            Heads = arguments.Heads,
            KeyHeads = arguments.Cache.Heads,
            Size = arguments.Cache.KeySize,
            Scale = arguments.Scale,
        };
        shape.Check();
        arguments.Check(nameof(AttentionColumnSums));
        for (int row = 0; row < arguments.Rows; row++)
        {
            if (arguments.Sequences[row] != arguments.Sequences[0])
                throw new ArgumentException($"{nameof(AttentionColumnSums)}: row {row} is of sequence {arguments.Sequences[row]}, row 0 of {arguments.Sequences[0]}; expected one sequence.", nameof(arguments));
            if (arguments.End[row] > tokens)
                throw new ArgumentException($"{nameof(AttentionColumnSums)}: row {row} sees positions up to {arguments.End[row] - 1}, expected below {tokens}.", nameof(arguments));
        }

        return shape;
    }

    /// <summary>Throws unless there is something to attend and the heads share evenly.</summary>
    /// <exception cref="ArgumentException">Otherwise.</exception>
    internal void Check()
    {
        if (Rows < 1) throw new ArgumentException($"{nameof(AttentionColumnSums)}: expected one or more query rows, found {Rows}: no token can attend.");
        if (Tokens < 1 || Size < 1) throw new ArgumentException($"{nameof(AttentionColumnSums)}: expected keys of one or more tokens and values, found [{Tokens}, {Size}].");
        if (KeyHeads < 1 || Heads < 1 || Heads % KeyHeads != 0)
            throw new ArgumentException($"{nameof(AttentionColumnSums)}: expected query heads that are a multiple of the key heads, found {Heads} and {KeyHeads}.");
    }

    /// <summary>Throws unless every row has a key at its position.</summary>
    /// <exception cref="ArgumentException">There is another number of positions than rows, or one is no token.</exception>
    internal void CheckPositions(ReadOnlySpan<int> positions)
    {
        if (positions.IsEmpty) return;
        Require("positions", Rows, positions.Length);
        for (int row = 0; row < positions.Length; row++)
        {
            if ((uint)positions[row] >= (uint)Tokens)
                throw new ArgumentException($"{nameof(AttentionColumnSums)}: the position of row {row} should be below {Tokens}, found {positions[row]}.", nameof(positions));
        }
    }

    internal static void Require(string parameter, long expected, long found)
    {
        if (expected != found) throw new ArgumentException($"{nameof(AttentionColumnSums)}: '{parameter}' should have {expected} values, found {found}.", parameter);
    }
}
