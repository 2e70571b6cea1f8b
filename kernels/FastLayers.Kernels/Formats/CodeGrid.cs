using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.Formats;

/// <summary>The codes a symmetric format can store: a value is one of them times a scale.</summary>
internal interface ICodeGrid
{
    /// <summary>The lowest code, negative.</summary>
    float Lowest { get; }

    /// <summary>The highest code.</summary>
    float Highest { get; }

    /// <summary>Mean distance of neighboring codes.</summary>
    float Step { get; }

    /// <summary>The code nearest to each element.</summary>
    Vector256<float> Nearest(Vector256<float> x);
}

/// <summary>All whole numbers from <paramref name="lowest"/> to <paramref name="highest"/>.</summary>
internal readonly struct WholeGrid(int lowest, int highest) : ICodeGrid
{
    public float Lowest => lowest;

    public float Highest => highest;

    public float Step => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Nearest(Vector256<float> x) =>
        Vector256.MinNative(Vector256.MaxNative(Vector256.Round(x), Vector256.Create((float)lowest)), Vector256.Create((float)highest));
}

/// <summary>The levels of IQ4_NL and IQ4_XS.</summary>
internal readonly struct UnevenGrid : ICodeGrid
{
    public float Lowest => UnevenLevels.Codes[0];

    public float Highest => UnevenLevels.Codes[^1];

    public float Step => (Highest - Lowest) / (UnevenLevels.Codes.Length - 1);

    /// <summary>Climbs from the lowest level over every midpoint that is below the element.</summary>
    public Vector256<float> Nearest(Vector256<float> x)
    {
        Vector256<float> level = Vector256.Create(Lowest);
        for (int i = 0; i < Midpoints.Length; i++)
            level += Vector256.GreaterThan(x, Vector256.Create(Midpoints[i])) & Vector256.Create(Distances[i]);
        return level;
    }

    // Between each level and the next: where rounding turns, and how far they are apart.
    private static ReadOnlySpan<float> Midpoints => [-115.5f, -93.5f, -74, -57, -42, -28.5f, -16, -4.5f, 7, 19, 31.5f, 45.5f, 61, 79, 101];

    private static ReadOnlySpan<float> Distances => [23, 21, 18, 16, 14, 13, 12, 11, 12, 12, 13, 15, 16, 20, 24];
}
