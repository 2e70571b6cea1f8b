using ILGPU;

namespace FastLayers.Kernels.Gpu.Attention;

/// <summary>The rows that attend, in the memory of a device: see <see cref="Kernels.Attention.AttentionArguments"/>.</summary>
internal readonly struct GpuAttentionRows
{
    /// <summary>Queries [rows, heads · key size], rotated already.</summary>
    public required ArrayView<float> Query { get; init; }

    /// <summary>Result [rows, heads · value size].</summary>
    public required ArrayView<float> Output { get; init; }

    /// <summary>Sequence of each row.</summary>
    public required ArrayView<int> Sequences { get; init; }

    /// <summary>First position that each row sees; empty where all see from 0 on.</summary>
    public ArrayView<int> First { get; init; }

    /// <summary>One past the last position that each row sees.</summary>
    public required ArrayView<int> End { get; init; }

    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Number of query heads, a multiple of the cache's heads; consecutive query heads share a key/value head.</summary>
    public required int Heads { get; init; }

    /// <summary>Factor of the scores, usually 1/√(key size).</summary>
    public required float Scale { get; init; }

    /// <summary>If positive, scores s become <c>cap · tanh(s / cap)</c>.</summary>
    public float SoftCap { get; init; }
}
