using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.KvCache;

/// <summary>
/// The keys, or the values, of a layer as attention reads them: a structure of views and numbers, for which the kernels are specialized.
/// </summary>
internal interface IGpuCacheSide
{
    /// <summary>Values a head.</summary>
    int Size { get; }

    /// <summary>Where one head of a token lies, in units of the implementation.</summary>
    /// <param name="sequence">Sequence of the token.</param>
    /// <param name="page">Page of the token.</param>
    /// <param name="position">Position of the token in its sequence.</param>
    /// <param name="head">Key/value head.</param>
    long Row(int sequence, int page, int position, int head);

    /// <summary>Values <paramref name="first"/> to <paramref name="first"/> + 3 of a head; zeros behind its end.</summary>
    /// <param name="row">What <see cref="Row"/> gave.</param>
    /// <param name="position">Position of the token in its sequence.</param>
    /// <param name="first">A multiple of 4 below <see cref="Size"/>.</param>
    Four<float> Load(long row, int position, int first);
}
