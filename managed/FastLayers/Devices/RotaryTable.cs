namespace FastLayers;

/// <summary>Cosines and sines of the rotary embedding for all positions below <see cref="Positions"/>.</summary>
public sealed class RotaryTable : IDisposable
{
    /// <summary>Creates a table.</summary>
    /// <param name="cosines">[positions, pairs], magnitude included.</param>
    /// <param name="sines">[positions, pairs], magnitude included.</param>
    /// <param name="halves">Whether pairs are (i, i + pairs) — the NeoX style — rather than (2i, 2i + 1).</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public RotaryTable(Tensor cosines, Tensor sines, bool halves)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        ArgumentNullException.ThrowIfNull(sines);
        if (cosines.Rows != sines.Rows || cosines.Columns != sines.Columns) throw new ArgumentException($"Cosines {cosines} and sines {sines} differ in shape.", nameof(sines));
        Cosines = cosines;
        Sines = sines;
        Halves = halves;
    }

    /// <summary>[positions, pairs].</summary>
    public Tensor Cosines { get; }

    /// <summary>[positions, pairs].</summary>
    public Tensor Sines { get; }

    /// <summary>Whether pairs are (i, i + pairs).</summary>
    public bool Halves { get; }

    /// <summary>Number of positions.</summary>
    public int Positions => (int)Cosines.Rows;

    /// <summary>Rotated pairs a head; values beyond twice that stay.</summary>
    public int Pairs => Cosines.Columns;

    /// <inheritdoc/>
    public void Dispose()
    {
        Cosines.Dispose();
        Sines.Dispose();
    }
}
