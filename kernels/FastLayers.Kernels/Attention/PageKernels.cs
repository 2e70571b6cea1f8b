using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.Attention;

/// <summary>Chooses the loops over a page for a register width, a format of rows and a tile of queries.</summary>
internal static unsafe class PageKernels<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>The products with keys: <see cref="PageScores{TLanes, TFormat, TTile}.Compute"/>.</summary>
    /// <param name="format">Format of the keys.</param>
    /// <param name="queries">Queries of the tile.</param>
    /// <param name="finite">Whether halves are known to be finite.</param>
    public static delegate*<float*, byte*, int, int, float*, void> Scores(Format format, int queries, bool finite) => queries switch
    {
        1 => Scores<OneQuery>(format, finite),
        2 => Scores<TwoQueries>(format, finite),
        4 => Scores<FourQueries>(format, finite),
        _ => Scores<EightQueries>(format, finite),
    };

    /// <summary>The weighted values: <see cref="PageSums{TLanes, TFormat, TTile}.Add"/>.</summary>
    /// <param name="format">Format of the values.</param>
    /// <param name="queries">Queries of the tile.</param>
    /// <param name="finite">Whether halves are known to be finite.</param>
    public static delegate*<float*, byte*, int, int, float*, void> Sums(Format format, int queries, bool finite) => queries switch
    {
        1 => Sums<OneQuery>(format, finite),
        2 => Sums<TwoQueries>(format, finite),
        4 => Sums<FourQueries>(format, finite),
        _ => Sums<EightQueries>(format, finite),
    };

    private static delegate*<float*, byte*, int, int, float*, void> Scores<TTile>(Format format, bool finite)
        where TTile : struct, IQueryTile
    {
        if (format == Format.F32) return &PageScores<TLanes, FloatRow, TTile>.Compute;
        if (format == Format.Q8_0) return &PageScores<TLanes, Q8Row, TTile>.Compute;
        if (format == Format.Q4_0) return &PageScores<TLanes, Q4Row, TTile>.Compute;
        return finite ? &PageScores<TLanes, FiniteHalfRow, TTile>.Compute : &PageScores<TLanes, HalfRow, TTile>.Compute;
    }

    private static delegate*<float*, byte*, int, int, float*, void> Sums<TTile>(Format format, bool finite)
        where TTile : struct, IQueryTile
    {
        if (format == Format.F32) return &PageSums<TLanes, FloatRow, TTile>.Add;
        if (format == Format.Q8_0) return &PageSums<TLanes, Q8Row, TTile>.Add;
        if (format == Format.Q4_0) return &PageSums<TLanes, Q4Row, TTile>.Add;
        return finite ? &PageSums<TLanes, FiniteHalfRow, TTile>.Add : &PageSums<TLanes, HalfRow, TTile>.Add;
    }
}
