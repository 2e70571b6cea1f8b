using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.Attention;

/// <summary>Chooses the loops over a page for a format of rows.</summary>
internal static unsafe class PanelKernels
{
    /// <summary>Whether this processor has them.</summary>
    public static bool AreSupported => Avx2.IsSupported;

    /// <summary>How queries are laid out: <see cref="KeyPage{TPanel, TCells}.Prepare"/>.</summary>
    public static delegate*<float*, float, int, int*, float*, void> Prepare(Format format)
    {
        if (format == Format.Q8_0) return &KeyPage<Q8Panel, ShortCells>.Prepare;
        if (format == Format.Q4_0) return &KeyPage<Q4Panel, ByteCells>.Prepare;
        return &KeyPage<FloatPanel, FloatCells>.Prepare;
    }

    /// <summary>The products with keys: <see cref="KeyPage{TPanel, TCells}.Scores"/>.</summary>
    public static delegate*<byte*, int, int, in PanelMemory, Upcoming, bool> Scores(Format format)
    {
        if (format == Format.Q8_0) return &KeyPage<Q8Panel, ShortCells>.Scores;
        if (format == Format.Q4_0) return &KeyPage<Q4Panel, ByteCells>.Scores;
        if (format == Format.F16) return &KeyPage<HalfPanel, FloatCells>.Scores;
        return &KeyPage<FloatPanel, FloatCells>.Scores;
    }

    /// <summary>The weighted values: <see cref="ValuePage{TPanel, TCells}.Sums"/>.</summary>
    public static delegate*<byte*, int, int, in PanelMemory, Upcoming, bool> Sums(Format format)
    {
        if (format == Format.Q8_0) return &ValuePage<Q8Panel, ShortCells>.Sums;
        if (format == Format.Q4_0) return &ValuePage<Q4Panel, ShortCells>.Sums;
        if (format == Format.F16) return &ValuePage<HalfPanel, FloatCells>.Sums;
        return &ValuePage<FloatPanel, FloatCells>.Sums;
    }
}
