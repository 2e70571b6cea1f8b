namespace FastLayers.Kernels.GroupedAffine;

/// <summary>
/// How a matrix [outputs, columns] of 2, 3, 4 or 8-bit codes with a scale and a zero a group lies in memory, whatever checkpoint it came
/// from: <c>w[n, k] = scale[n, k / g] · (code[n, k] - zero[n, k / g])</c>, g being <see cref="GroupLength"/>.
/// </summary>
/// <remarks>
/// The codes of an output are a little-endian stream of bits in 32-bit words: code k starts at bit k · bits, the first bit the lowest. Scales
/// and zeros are floats, [outputs, groups]; a zero need not be a whole number. The last group may be short.
/// </remarks>
public readonly struct GroupedAffineLayout
{
    /// <summary>Columns come in such numbers, so that each row has whole words whatever the number of bits.</summary>
    public const int ColumnMultiple = 32;

    /// <summary>Group lengths are multiples of this: eight codes are loaded at once and share a scale.</summary>
    public const int GroupMultiple = 8;

    /// <summary>Describes a matrix.</summary>
    /// <param name="bits">Bits a code: 2, 3, 4 or 8.</param>
    /// <param name="outputs">Rows of the matrix.</param>
    /// <param name="columns">Columns of the matrix, a multiple of <see cref="ColumnMultiple"/>.</param>
    /// <param name="groupLength">Columns that share a scale and a zero, a multiple of <see cref="GroupMultiple"/>.</param>
    /// <exception cref="ArgumentException">A number is not as said above.</exception>
    public GroupedAffineLayout(int bits, int outputs, int columns, int groupLength)
    {
        if (bits is not (2 or 3 or 4 or 8)) throw new ArgumentException($"Codes have 2, 3, 4 or 8 bits, found {bits}.", nameof(bits));
        if (outputs < 0) throw new ArgumentException($"There cannot be {outputs} outputs.", nameof(outputs));
        if (columns < 0 || columns % ColumnMultiple != 0) throw new ArgumentException($"Columns should be a multiple of {ColumnMultiple}, found {columns}.", nameof(columns));
        if (groupLength <= 0 || groupLength % GroupMultiple != 0)
            throw new ArgumentException($"The group length should be a multiple of {GroupMultiple}, found {groupLength}.", nameof(groupLength));
        Bits = bits;
        Outputs = outputs;
        Columns = columns;
        GroupLength = groupLength;
    }

    /// <summary>Bits a code.</summary>
    public int Bits { get; }

    /// <summary>Rows of the matrix.</summary>
    public int Outputs { get; }

    /// <summary>Columns of the matrix.</summary>
    public int Columns { get; }

    /// <summary>Columns that share a scale and a zero.</summary>
    public int GroupLength { get; }

    /// <summary>32-bit words of codes a row.</summary>
    public int WordsPerRow => Columns / ColumnMultiple * Bits;

    /// <summary>Scales, and zeros, a row.</summary>
    public int GroupsPerRow => (int)(((long)Columns + GroupLength - 1) / GroupLength);

    /// <summary>Words of all codes.</summary>
    public int WordCount => checked(Outputs * WordsPerRow);

    /// <summary>Scales, and zeros, of all rows.</summary>
    public int GroupCount => checked(Outputs * GroupsPerRow);

    /// <summary>Stored bits a weight, scales and zeros included.</summary>
    public double BitsPerWeight => Bits + (64.0 * GroupsPerRow / Columns);

    /// <summary>Code <paramref name="index"/> of a stream of codes.</summary>
    /// <param name="words">The words of the stream.</param>
    /// <param name="bits">Bits a code.</param>
    /// <param name="index">Which code.</param>
    public static int ReadCode(ReadOnlySpan<int> words, int bits, int index)
    {
        long position = (long)index * bits;
        int word = (int)(position >> 5);
        int shift = (int)(position & 31);
        uint code = (uint)words[word] >> shift;
        if (shift + bits > 32) code |= (uint)words[word + 1] << (32 - shift);
        return (int)(code & ((1u << bits) - 1));
    }

    /// <summary>Puts a code into a stream whose bits there are zero.</summary>
    /// <param name="words">The words of the stream.</param>
    /// <param name="bits">Bits a code.</param>
    /// <param name="index">Which code.</param>
    /// <param name="code">The code, from 0 to 2^bits - 1.</param>
    public static void WriteCode(Span<int> words, int bits, int index, int code)
    {
        long position = (long)index * bits;
        int word = (int)(position >> 5);
        int shift = (int)(position & 31);
        words[word] |= code << shift;
        if (shift + bits > 32) words[word + 1] |= code >> (32 - shift);
    }

    /// <summary>Throws unless the parts of a matrix are as long as this layout says.</summary>
    internal void RequireLengths(int codes, int scales, int zeros)
    {
        RequireLength("codes", WordCount, codes);
        RequireLength("scales", GroupCount, scales);
        RequireLength("zeros", GroupCount, zeros);
    }

    /// <summary>Throws unless a tensor has the length that its shape says.</summary>
    internal void RequireLength(string name, long expected, long found)
    {
        if (expected != found)
            throw new ArgumentException($"{Outputs} outputs of {Columns} columns in {Bits}-bit codes and groups of {GroupLength}: '{name}' should have {expected} elements, found {found}.", name);
    }
}
