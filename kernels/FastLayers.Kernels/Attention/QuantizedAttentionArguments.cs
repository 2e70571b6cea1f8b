using FastLayers.Kernels.KvCache;

namespace FastLayers.Kernels.Attention;

/// <summary>Operands of attention over a quantized cache; pointers into memory that the caller keeps alive.</summary>
public readonly unsafe struct QuantizedAttentionArguments
{
    /// <summary>Keys and values of the layer; <see cref="QuantizedCache.Lengths"/> counts the tokens appended.</summary>
    public required QuantizedCache Cache { get; init; }

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

    /// <summary>First position that a row sees.</summary>
    internal int Start(int row) => First == null ? 0 : First[row];

    /// <summary>Query heads a key/value head.</summary>
    public int GroupSize => Heads / Cache.Heads;
}
