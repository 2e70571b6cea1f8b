namespace FastLayers.Kernels.Pruning;

/// <summary>The definition of <see cref="AnchorAssignment"/> in double precision.</summary>
public static class AnchorAssignmentReference
{
    /// <summary>groups[m] = the first anchor of the largest cosine.</summary>
    public static void Assign(ReadOnlySpan<float> members, ReadOnlySpan<float> anchors, int columns, Span<int> groups, Span<float> cosines)
    {
        for (int member = 0; member < groups.Length; member++)
        {
            double best = double.NegativeInfinity;
            for (int anchor = 0; anchor < anchors.Length / columns; anchor++)
            {
                double cosine = Cosine(members.Slice(member * columns, columns), anchors.Slice(anchor * columns, columns));
                if (cosine <= best) continue;
                best = cosine;
                groups[member] = anchor;
            }

            cosines[member] = (float)best;
        }
    }

    private static double Cosine(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double product = 0, squares = 0, otherSquares = 0;
        for (int i = 0; i < x.Length; i++)
        {
            product += (double)x[i] * y[i];
            squares += (double)x[i] * x[i];
            otherSquares += (double)y[i] * y[i];
        }

        return squares == 0 || otherSquares == 0 ? 0 : product / Math.Sqrt(squares) / Math.Sqrt(otherSquares);
    }
}
