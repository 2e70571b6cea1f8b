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
                FloatTile<TLanes>.Multiply(rows, arguments.Input, arguments.Output + first, arguments.Bias == null ? null : arguments.Bias + first, arguments.Rows, columns, arguments.Outputs, count);
            }
        }
    }
}
