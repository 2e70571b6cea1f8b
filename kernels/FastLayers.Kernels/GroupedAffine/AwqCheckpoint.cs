namespace FastLayers.Kernels.GroupedAffine;

/// <summary>
/// Tensors of an AWQ checkpoint in its GEMM layout, 4 bit: <c>qweight</c> [columns, outputs / 8] and <c>qzeros</c> [groups, outputs / 8] pack eight
/// outputs a word, in the order 0, 2, 4, 6, 1, 3, 5, 7 from the lowest nibble on; <c>scales</c> [groups, outputs].
/// </summary>
public static class AwqCheckpoint
{
    private const int Bits = 4;
    private const int PerWord = 8;

    /// <summary>Converts the tensors.</summary>
    /// <param name="layout">The matrix.</param>
    /// <param name="qweight">Packed codes.</param>
    /// <param name="qzeros">Packed zeros.</param>
    /// <param name="qscales">Scales.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <param name="scales">Receives the scales.</param>
    /// <param name="zeros">Receives the zeros.</param>
    /// <exception cref="ArgumentException">A length is wrong, the codes do not have 4 bits, or the outputs are not a multiple of 8.</exception>
    public static void Convert(
        in GroupedAffineLayout layout,
        ReadOnlySpan<int> qweight,
        ReadOnlySpan<int> qzeros,
        ReadOnlySpan<float> qscales,
        Span<int> codes,
        Span<float> scales,
        Span<float> zeros)
    {
        int outputs = layout.Outputs, words = layout.WordsPerRow, groups = layout.GroupsPerRow;
        if (layout.Bits != Bits) throw new ArgumentException($"AWQ has 4-bit codes only, found {layout.Bits}.", nameof(layout));
        if (outputs % PerWord != 0) throw new ArgumentException($"AWQ packs {PerWord} outputs a word; {outputs} do not divide.", nameof(layout));
        layout.RequireLength(nameof(qweight), (long)layout.Columns * outputs / PerWord, qweight.Length);
        layout.RequireLength(nameof(qzeros), (long)groups * outputs / PerWord, qzeros.Length);
        layout.RequireLength(nameof(qscales), (long)groups * outputs, qscales.Length);
        layout.RequireLengths(codes.Length, scales.Length, zeros.Length);
        codes.Clear();
        for (int n = 0; n < outputs; n++)
        {
            var row = codes.Slice(n * words, words);
            for (int k = 0; k < layout.Columns; k++) GroupedAffineLayout.WriteCode(row, Bits, k, Code(qweight, k, n, outputs));
            for (int group = 0; group < groups; group++)
            {
                scales[(n * groups) + group] = qscales[(group * outputs) + n];
                zeros[(n * groups) + group] = Code(qzeros, group, n, outputs);
            }
        }
    }

    /// <summary>Even outputs of a word fill its lower half, odd ones its upper half.</summary>
    private static int Code(ReadOnlySpan<int> words, int row, int output, int outputs)
    {
        int place = output % PerWord;
        int nibble = (place / 2) + (place % 2 * (PerWord / 2));
        return (words[(row * (outputs / PerWord)) + (output / PerWord)] >> (Bits * nibble)) & 15;
    }
}
