using System.Runtime.CompilerServices;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Matrix product with float activations: <see cref="RowTile"/> weight rows at a time are decoded to float once (F32 rows are read in
/// place) and multiplied with every activation row by fused multiply-add, one vector of partial sums an output. The arithmetic of an
/// output depends on its two rows and the vector width alone, so neither threads nor the number of rows change it. Bound: one
/// multiply-add a vector of weights, or reading the weights where there is one activation row.
/// </summary>
public static unsafe class MatMulSimdFloat
{
    /// <summary>Weight rows that share the loads of an activation row: four independent chains of multiply-adds.</summary>
    internal const int RowTile = 4;

    /// <summary>Computes the product.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands.</param>
    /// <exception cref="ArgumentException">A size is negative, or a weight row is not whole blocks of its format.</exception>
    public static void Multiply(WorkerPool pool, in MatMulArguments arguments) => Multiply(pool, arguments, SimdDispatch.Level);

    internal static void Multiply(WorkerPool pool, in MatMulArguments arguments, SimdLevel level)
    {
        ArgumentNullException.ThrowIfNull(pool);
        arguments.Check(nameof(MatMulSimdFloat));
        int tiles = (arguments.Outputs + RowTile - 1) / RowTile;
        switch (level)
        {
            case SimdLevel.V512: pool.Run(new Work<Lanes512>(pool, arguments), tiles); break;
            case SimdLevel.V256: pool.Run(new Work<Lanes256>(pool, arguments), tiles); break;
            case SimdLevel.V128: pool.Run(new Work<Lanes128>(pool, arguments), tiles); break;
            default: RowArguments.ThrowLevel(level); break;
        }
    }

    private readonly struct Work<TLanes>(WorkerPool pool, MatMulArguments arguments) : IParallelWork
        where TLanes : unmanaged, ILanes<TLanes>
    {
        public void Execute(int start, int end, int worker)
        {
            int columns = arguments.Columns;
            long rowBytes = arguments.RowBytes;
            bool inPlace = arguments.Format == Format.F32;
            float* scratch = inPlace ? null : (float*)pool.Scratch(worker, (long)RowTile * columns * sizeof(float));
            for (int tile = start; tile < end; tile++)
            {
                int first = tile * RowTile;
                int count = Math.Min(RowTile, arguments.Outputs - first);
                byte* weights = arguments.Weights + (first * rowBytes);
                if (!inPlace)
                {
                    for (int r = 0; r < count; r++)
                        arguments.Format.Decode(new ReadOnlySpan<byte>(weights + (r * rowBytes), (int)rowBytes), new Span<float>(scratch + ((long)r * columns), columns));
                }

                float* rows = inPlace ? (float*)weights : scratch;
                Tile(rows, arguments.Input, arguments.Output + first, arguments.Bias == null ? null : arguments.Bias + first, arguments.Rows, columns, arguments.Outputs, count);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Tile(float* weights, float* input, float* output, float* bias, int rows, int columns, int outputs, int count)
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
}
