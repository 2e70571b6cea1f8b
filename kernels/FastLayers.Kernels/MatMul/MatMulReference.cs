using FastLayers.Kernels.Formats;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// The definition of the matrix product of every weight format: <c>y[m, n] = bias[n] + Σ_k x[m, k] · decode(w)[n, k]</c>, summed in
/// double precision.
/// </summary>
public static class MatMulReference
{
    /// <summary>Multiplies activations with the transpose of a weight matrix.</summary>
    /// <param name="format">Storage format of <paramref name="weights"/>.</param>
    /// <param name="weights">The matrix [<paramref name="outputs"/>, <paramref name="columns"/>], row after row.</param>
    /// <param name="bias">One value an output, or empty.</param>
    /// <param name="input">Activations [rows, <paramref name="columns"/>].</param>
    /// <param name="output">Result [rows, <paramref name="outputs"/>].</param>
    /// <param name="outputs">Rows of the weight matrix.</param>
    /// <param name="columns">Columns of the weight matrix.</param>
    public static void Multiply(Format format, ReadOnlySpan<byte> weights, ReadOnlySpan<float> bias, ReadOnlySpan<float> input, Span<double> output, int outputs, int columns)
    {
        ArgumentNullException.ThrowIfNull(format);
        int rowBytes = (int)format.RowBytes(columns);
        int rows = columns == 0 ? output.Length / Math.Max(outputs, 1) : input.Length / columns;
        var row = new float[columns];
        for (int n = 0; n < outputs; n++)
        {
            format.Decode(weights.Slice(n * rowBytes, rowBytes), row);
            for (int m = 0; m < rows; m++)
            {
                double sum = bias.IsEmpty ? 0 : bias[n];
                for (int k = 0; k < columns; k++) sum += (double)input[(m * columns) + k] * row[k];
                output[(m * outputs) + n] = sum;
            }
        }
    }
}
