namespace FastLayers.Kernels.GroupedAffine;

/// <summary>How a GPTQ checkpoint stores zeros.</summary>
public enum GptqZeros
{
    /// <summary>Format v1: one less than the zero.</summary>
    MinusOne,

    /// <summary>Format v2 (<c>checkpoint_format: gptq_v2</c>): the zero.</summary>
    Plain,
}

/// <summary>
/// Tensors of a GPTQ checkpoint (AutoGPTQ, GPTQModel), which are stored transposed: <c>qweight</c> [columns · bits / 32, outputs] packs the codes
/// along the columns, <c>qzeros</c> [groups, outputs · bits / 32] the zeros along the outputs, both as little-endian streams of bits;
/// <c>scales</c> [groups, outputs].
/// </summary>
public static class GptqCheckpoint
{
    /// <summary>
    /// Turns <c>g_idx</c>, the group of each column, into an order of the columns in which each group's stand together, in their order.
    /// </summary>
    /// <param name="layout">The matrix.</param>
    /// <param name="groupIndex">The group of each column.</param>
    /// <param name="order">Receives for each place the column that goes there.</param>
    /// <returns>Whether the order is another than that of the columns.</returns>
    /// <exception cref="ArgumentException">A length is wrong, a group does not exist, or one has too many or too few columns.</exception>
    public static bool Order(in GroupedAffineLayout layout, ReadOnlySpan<int> groupIndex, Span<int> order)
    {
        layout.RequireLength(nameof(groupIndex), layout.Columns, groupIndex.Length);
        layout.RequireLength(nameof(order), layout.Columns, order.Length);
        var next = new int[layout.GroupsPerRow];
        for (int group = 0; group < next.Length; group++) next[group] = group * layout.GroupLength;
        for (int column = 0; column < groupIndex.Length; column++)
        {
            int group = groupIndex[column];
            if (group < 0 || group >= next.Length)
                throw new ArgumentException($"Column {column} is in group {group}; there are {next.Length} groups.", nameof(groupIndex));
            if (next[group] >= Math.Min((group + 1L) * layout.GroupLength, layout.Columns))
                throw new ArgumentException($"Group {group} has more columns than its {layout.GroupLength}; column {column} is the first too many.", nameof(groupIndex));
            order[next[group]++] = column;
        }

        bool changed = false;
        for (int place = 0; place < order.Length; place++) changed |= order[place] != place;
        return changed;
    }

    /// <summary>Converts the tensors.</summary>
    /// <param name="layout">The matrix.</param>
    /// <param name="qweight">Packed codes.</param>
    /// <param name="qzeros">Packed zeros.</param>
    /// <param name="qscales">Scales.</param>
    /// <param name="convention">How zeros are stored.</param>
    /// <param name="order">The column that goes to each place, see <see cref="Order"/>, or empty.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <param name="scales">Receives the scales.</param>
    /// <param name="zeros">Receives the zeros.</param>
    /// <exception cref="ArgumentException">A length is wrong, or the outputs are not a multiple of 32.</exception>
    public static void Convert(
        in GroupedAffineLayout layout,
        ReadOnlySpan<int> qweight,
        ReadOnlySpan<int> qzeros,
        ReadOnlySpan<float> qscales,
        GptqZeros convention,
        ReadOnlySpan<int> order,
        Span<int> codes,
        Span<float> scales,
        Span<float> zeros)
    {
        int outputs = layout.Outputs, words = layout.WordsPerRow, groups = layout.GroupsPerRow, bits = layout.Bits;
        if (outputs % 32 != 0) throw new ArgumentException($"GPTQ packs 32 outputs at a time; {outputs} do not divide.", nameof(layout));
        int zeroWords = outputs / 32 * bits;
        layout.RequireLength(nameof(qweight), (long)words * outputs, qweight.Length);
        layout.RequireLength(nameof(qzeros), (long)groups * zeroWords, qzeros.Length);
        layout.RequireLength(nameof(qscales), (long)groups * outputs, qscales.Length);
        if (!order.IsEmpty) layout.RequireLength(nameof(order), layout.Columns, order.Length);
        layout.RequireLengths(codes.Length, scales.Length, zeros.Length);
        var stream = new int[words];
        for (int n = 0; n < outputs; n++)
        {
            for (int word = 0; word < words; word++) stream[word] = qweight[(word * outputs) + n];
            var row = codes.Slice(n * words, words);
            if (order.IsEmpty)
            {
                stream.CopyTo(row);
            }
            else
            {
                row.Clear();
                for (int place = 0; place < order.Length; place++)
                    GroupedAffineLayout.WriteCode(row, bits, place, GroupedAffineLayout.ReadCode(stream, bits, order[place]));
            }

            for (int group = 0; group < groups; group++)
            {
                int stored = GroupedAffineLayout.ReadCode(qzeros.Slice(group * zeroWords, zeroWords), bits, n);
                scales[(n * groups) + group] = qscales[(group * outputs) + n];
                zeros[(n * groups) + group] = convention == GptqZeros.Plain ? stored : AddOne(stored, bits);
            }
        }
    }

    /// <summary>
    /// A zero of 0 was stored as all ones. AutoGPTQ cuts the sum to the bits of a code, so that 0 comes back, except at 3 bits, where it cuts
    /// before adding and gets 8.
    /// </summary>
    private static int AddOne(int stored, int bits) => bits == 3 ? stored + 1 : (stored + 1) & ((1 << bits) - 1);
}
