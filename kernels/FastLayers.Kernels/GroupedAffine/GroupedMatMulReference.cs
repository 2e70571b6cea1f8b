namespace FastLayers.Kernels.GroupedAffine;

/// <summary>
/// The definition of the product with a grouped affine matrix: <c>y[m, n] = bias[n] + Σ_k x[m, order[k]] · scale[n, k / g] · (code[n, k] - zero[n, k / g])</c>,
/// in double precision.
/// </summary>
public static class GroupedMatMulReference
{
    /// <summary>Multiplies activations with the transpose of the matrix.</summary>
    /// <param name="layout">Sizes of the matrix.</param>
    /// <param name="codes">Its codes.</param>
    /// <param name="scales">Its scales.</param>
    /// <param name="zeros">Its zeros.</param>
    /// <param name="order">The activation of each column, or empty.</param>
    /// <param name="bias">One value an output, or empty.</param>
    /// <param name="input">Activations [rows, columns].</param>
    /// <param name="output">Result [rows, outputs].</param>
    public static void Multiply(
        GroupedAffineLayout layout,
        ReadOnlySpan<int> codes,
        ReadOnlySpan<float> scales,
        ReadOnlySpan<float> zeros,
        ReadOnlySpan<int> order,
        ReadOnlySpan<float> bias,
        ReadOnlySpan<float> input,
        Span<double> output)
    {
        for (int i = 0; i < output.Length; i++)
        {
            int m = i / layout.Outputs, n = i % layout.Outputs;
            double sum = bias.IsEmpty ? 0 : bias[n];
            for (int k = 0; k < layout.Columns; k++)
            {
                int group = (n * layout.GroupsPerRow) + (k / layout.GroupLength);
                int code = GroupedAffineLayout.ReadCode(codes.Slice(n * layout.WordsPerRow, layout.WordsPerRow), layout.Bits, k);
                double x = input[(m * layout.Columns) + (order.IsEmpty ? k : order[k])];
                sum += x * scales[group] * ((double)code - zeros[group]);
            }

            output[i] = sum;
        }
    }
}
