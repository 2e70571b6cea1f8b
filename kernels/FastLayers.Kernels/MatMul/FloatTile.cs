using System.Runtime.CompilerServices;
using FastLayers.Kernels.Simd;

namespace FastLayers.Kernels.MatMul;

/// <summary>Products of a few weight rows, already floats, with all rows of activations.</summary>
internal static unsafe class FloatTile<TLanes>
    where TLanes : unmanaged, ILanes<TLanes>
{
    /// <summary>Multiplies.</summary>
    /// <param name="weights">Up to <see cref="MatMulSimdFloat.RowTile"/> weight rows, one after another.</param>
    /// <param name="input">Activations [rows, columns].</param>
    /// <param name="output">Receives the results of these weight rows: <paramref name="count"/> values every <paramref name="outputs"/>.</param>
    /// <param name="bias">One value a weight row, or null.</param>
    /// <param name="rows">Rows of activations.</param>
    /// <param name="columns">Values a row.</param>
    /// <param name="outputs">Values between two rows of the result.</param>
    /// <param name="count">Weight rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* weights, float* input, float* output, float* bias, int rows, int columns, int outputs, int count)
    {
        // Missing rows of the last tile are the first one computed again and not stored.
        float* w0 = weights;
        float* w1 = count > 1 ? weights + columns : w0;
        float* w2 = count > 2 ? weights + (2L * columns) : w0;
        float* w3 = count > 3 ? weights + (3L * columns) : w0;
        int whole = columns - (columns % TLanes.Count);
        for (int m = 0; m < rows; m++, input += columns, output += outputs)
        {
            var s0 = TLanes.Zero;
            var s1 = TLanes.Zero;
            var s2 = TLanes.Zero;
            var s3 = TLanes.Zero;
            for (int k = 0; k < whole; k += TLanes.Count)
            {
                var x = TLanes.Load(input + k);
                s0 = TLanes.MultiplyAdd(TLanes.Load(w0 + k), x, s0);
                s1 = TLanes.MultiplyAdd(TLanes.Load(w1 + k), x, s1);
                s2 = TLanes.MultiplyAdd(TLanes.Load(w2 + k), x, s2);
                s3 = TLanes.MultiplyAdd(TLanes.Load(w3 + k), x, s3);
            }

            float y0 = TLanes.Sum(s0);
            float y1 = TLanes.Sum(s1);
            float y2 = TLanes.Sum(s2);
            float y3 = TLanes.Sum(s3);
            for (int k = whole; k < columns; k++)
            {
                y0 += w0[k] * input[k];
                y1 += w1[k] * input[k];
                y2 += w2[k] * input[k];
                y3 += w3[k] * input[k];
            }

            output[0] = bias == null ? y0 : y0 + bias[0];
            if (count > 1) output[1] = bias == null ? y1 : y1 + bias[1];
            if (count > 2) output[2] = bias == null ? y2 : y2 + bias[2];
            if (count > 3) output[3] = bias == null ? y3 : y3 + bias[3];
        }
    }
}
