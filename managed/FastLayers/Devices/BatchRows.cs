namespace FastLayers;

/// <summary>Which token each row of a batch is: its sequence in the page table, its position, and the positions that it may see.</summary>
public readonly ref struct BatchRows
{
    /// <summary>Slot of each row's sequence in the page table.</summary>
    public required ReadOnlySpan<int> Sequences { get; init; }

    /// <summary>Position of each row in its sequence.</summary>
    public required ReadOnlySpan<int> Positions { get; init; }

    /// <summary>First position that each row sees where the layer has a window; without one it is 0.</summary>
    public required ReadOnlySpan<int> WindowStart { get; init; }

    /// <summary>One past the last position that each row sees.</summary>
    public required ReadOnlySpan<int> End { get; init; }

    /// <summary>Page numbers, [sequences, pages a sequence].</summary>
    public required ReadOnlySpan<int> PageTable { get; init; }

    /// <summary>Width of the page table.</summary>
    public required int PagesPerSequence { get; init; }

    /// <summary>Number of rows.</summary>
    public int Count => Positions.Length;
}
