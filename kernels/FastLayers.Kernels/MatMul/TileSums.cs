using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.MatMul;

/// <summary>The sums of a tile's eight rows on their way to the output.</summary>
internal static unsafe class TileSums
{
    /// <summary>Stores the sums of rows of activations, plus the bias; those of rows that the last tile lacks go nowhere.</summary>
    /// <param name="arguments">The operands.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="firstRow">The first row of activations.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="sums">Eight sums a row, on 32-byte borders.</param>
    /// <param name="stride">Floats from row to row.</param>
    public static void Store(in MatMulArguments arguments, int tile, int firstRow, int rows, float* sums, int stride)
    {
        int first = tile * InterleavedLayout.TileRows;
        int count = Math.Min(InterleavedLayout.TileRows, arguments.Outputs - first);
        float* output = arguments.Output + ((long)firstRow * arguments.Outputs) + first;
        float* bias = arguments.Bias == null ? null : arguments.Bias + first;
        for (int row = 0; row < rows; row++, output += arguments.Outputs, sums += stride)
        {
            if (count == InterleavedLayout.TileRows)
            {
                var values = Vector256.LoadAligned(sums);
                (bias == null ? values : values + Vector256.Load(bias)).Store(output);
                continue;
            }

            for (int i = 0; i < count; i++) output[i] = bias == null ? sums[i] : sums[i] + bias[i];
        }
    }
}
