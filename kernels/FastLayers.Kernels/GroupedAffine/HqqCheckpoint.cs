namespace FastLayers.Kernels.GroupedAffine;

/// <summary>
/// Tensors of an HQQ checkpoint whose groups run along the columns (axis 1): the matrix is seen as one row a group, [groups, group length],
/// and those rows are packed in strides: with n codes an element, element row i holds rows i, i + R, i + 2R, …, the first in the highest bits,
/// R being the number of element rows. Elements are bytes; 3-bit codes lie ten in 32 bits, missing rows being zero. Scales and zeros are floats,
/// one a group.
/// </summary>
/// <remarks>Groups across the outputs (axis 0) have no scale of their own in a row, and cannot be converted.</remarks>
public static class HqqCheckpoint
{
    /// <summary>Elements of the packed tensor: bytes, or integers at 3 bits.</summary>
    /// <param name="layout">The matrix.</param>
    /// <exception cref="ArgumentException">The rows do not divide among the codes of an element, or groups cross the end of a row.</exception>
    public static long PackedLength(in GroupedAffineLayout layout) => (long)PackedRows(layout) * layout.GroupLength;

    /// <summary>Converts the tensors of 2, 4 and 8-bit codes.</summary>
    /// <param name="layout">The matrix.</param>
    /// <param name="packed">Packed codes (<c>W_q</c>).</param>
    /// <param name="groupScales">One scale a group: what a code is multiplied with.</param>
    /// <param name="groupZeros">One zero a group.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <param name="scales">Receives the scales.</param>
    /// <param name="zeros">Receives the zeros.</param>
    /// <exception cref="ArgumentException">A length is wrong, the codes have 3 bits, or the shape cannot be packed like this.</exception>
    public static void Convert(
        in GroupedAffineLayout layout, ReadOnlySpan<byte> packed, ReadOnlySpan<float> groupScales, ReadOnlySpan<float> groupZeros, Span<int> codes, Span<float> scales, Span<float> zeros)
    {
        if (layout.Bits == 3) throw new ArgumentException("HQQ packs 3-bit codes in integers, not in bytes.", nameof(layout));
        layout.RequireLength(nameof(packed), PackedLength(layout), packed.Length);
        CopyGroups(layout, groupScales, groupZeros, codes, scales, zeros);
        int rows = PackedRows(layout), perElement = 8 / layout.Bits;
        for (int row = 0; row < layout.GroupCount; row++)
        {
            int shift = layout.Bits * (perElement - 1 - (row / rows));
            for (int i = 0; i < layout.GroupLength; i++)
                Put(layout, codes, row, i, (packed[((row % rows) * layout.GroupLength) + i] >> shift) & ((1 << layout.Bits) - 1));
        }
    }

    /// <summary>Converts the tensors of 3-bit codes.</summary>
    /// <param name="layout">The matrix.</param>
    /// <param name="packed">Packed codes (<c>W_q</c>).</param>
    /// <param name="groupScales">One scale a group: what a code is multiplied with.</param>
    /// <param name="groupZeros">One zero a group.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <param name="scales">Receives the scales.</param>
    /// <param name="zeros">Receives the zeros.</param>
    /// <exception cref="ArgumentException">A length is wrong, or the codes do not have 3 bits.</exception>
    public static void Convert(
        in GroupedAffineLayout layout, ReadOnlySpan<int> packed, ReadOnlySpan<float> groupScales, ReadOnlySpan<float> groupZeros, Span<int> codes, Span<float> scales, Span<float> zeros)
    {
        if (layout.Bits != 3) throw new ArgumentException($"HQQ packs {layout.Bits}-bit codes in bytes, not in integers.", nameof(layout));
        layout.RequireLength(nameof(packed), PackedLength(layout), packed.Length);
        CopyGroups(layout, groupScales, groupZeros, codes, scales, zeros);
        int rows = PackedRows(layout);
        for (int row = 0; row < layout.GroupCount; row++)
        {
            int shift = 27 - (3 * (row / rows));
            for (int i = 0; i < layout.GroupLength; i++)
                Put(layout, codes, row, i, (packed[((row % rows) * layout.GroupLength) + i] >> shift) & 7);
        }
    }

    private static int PackedRows(in GroupedAffineLayout layout)
    {
        if (layout.Columns % layout.GroupLength != 0)
            throw new ArgumentException($"HQQ groups of {layout.GroupLength} should divide the {layout.Columns} columns.", nameof(layout));
        if (layout.Bits == 3) return (layout.GroupCount + 9) / 10;
        int perElement = 8 / layout.Bits;
        if (layout.GroupCount % perElement != 0)
            throw new ArgumentException($"HQQ packs {perElement} groups a row of bytes; {layout.GroupCount} do not divide.", nameof(layout));
        return layout.GroupCount / perElement;
    }

    private static void CopyGroups(
        in GroupedAffineLayout layout, ReadOnlySpan<float> groupScales, ReadOnlySpan<float> groupZeros, Span<int> codes, Span<float> scales, Span<float> zeros)
    {
        layout.RequireLength(nameof(groupScales), layout.GroupCount, groupScales.Length);
        layout.RequireLength(nameof(groupZeros), layout.GroupCount, groupZeros.Length);
        layout.RequireLengths(codes.Length, scales.Length, zeros.Length);
        groupScales.CopyTo(scales);
        groupZeros.CopyTo(zeros);
        codes.Clear();
    }

    private static void Put(in GroupedAffineLayout layout, Span<int> codes, int row, int place, int code)
    {
        int output = row / layout.GroupsPerRow;
        int column = (row % layout.GroupsPerRow * layout.GroupLength) + place;
        GroupedAffineLayout.WriteCode(codes.Slice(output * layout.WordsPerRow, layout.WordsPerRow), layout.Bits, column, code);
    }
}
