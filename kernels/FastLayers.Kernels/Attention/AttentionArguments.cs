using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Operands of attention over a paged cache; pointers into memory that the caller keeps alive.</summary>
public readonly unsafe struct AttentionArguments
{
    /// <summary>Keys and values of the layer.</summary>
    public required PagedCache Cache { get; init; }

    /// <summary>Queries [rows, heads · key size], rotated already.</summary>
    public required float* Query { get; init; }

    /// <summary>Result [rows, heads · value size].</summary>
    public required float* Output { get; init; }

    /// <summary>Sequence of each row.</summary>
    public required int* Sequences { get; init; }

    /// <summary>First position that each row sees, or null where all see from 0 on.</summary>
    public int* First { get; init; }

    /// <summary>One past the last position that each row sees.</summary>
    public required int* End { get; init; }

    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Number of query heads, a multiple of the cache's heads; consecutive query heads share a key/value head.</summary>
    public required int Heads { get; init; }

    /// <summary>Factor of the scores, usually 1/√(key size).</summary>
    public required float Scale { get; init; }

    /// <summary>If positive, scores s become <c>cap · tanh(s / cap)</c>.</summary>
    public float SoftCap { get; init; }

    /// <summary>
    /// Whether all products are float. Else, where keys are packed, a query may be rounded in blocks of 32 values, to 15 bits and a sign beside q8_0 and to 7
    /// beside q4_0; and the weights of the values of a page, where these are packed, to 15 bits: a small part of the error that the format has.
    /// </summary>
    public bool Exact { get; init; }

    /// <summary>Throws unless the heads divide among those of the cache and every row sees positions that the page table has.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    internal void Check(string operation)
    {
        if (Rows < 0 || Heads < 0 || Cache.Heads <= 0 || Heads % Cache.Heads != 0)
        {
            throw new ArgumentException(
                $"{operation}: expected query heads that are a multiple of the cache's, found a query of [{Rows}, {Heads} · {Cache.KeySize}] and a cache of {Cache.Heads} heads.",
                nameof(operation));
        }

        Cache.RequireFormats(operation);
        for (int row = 0; row < Rows; row++)
        {
            if (Start(row) < End[row]) Cache.Require(operation, row, Start(row), End[row]);
        }
    }

    /// <summary>First position that a row sees.</summary>
    internal int Start(int row) => First == null ? 0 : First[row];

    /// <summary>Query heads a key/value head.</summary>
    public int GroupSize => Heads / Cache.Heads;
}
