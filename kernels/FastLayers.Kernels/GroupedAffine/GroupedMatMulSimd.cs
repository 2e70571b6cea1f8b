using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Simd;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.GroupedAffine;

/// <summary>
/// Product with a grouped affine matrix: a few rows of it at a time are decoded to float, eight codes a step, put in the order of the
/// activations, and multiplied with all rows of activations as <see cref="MatMulSimdFloat"/> does. Eight codes of up to 4 bits lie in one
/// integer; multiplied by a power of two a lane, each code comes to the top of its lane, and one shift brings it down.
/// </summary>
public static unsafe class GroupedMatMulSimd
{
    private const int RowTile = MatMulSimdFloat.RowTile;

    /// <summary>Codes a step.</summary>
    private const int Step = 8;

    /// <summary>Computes the product.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands.</param>
    public static void Multiply(WorkerPool pool, in GroupedMatMulArguments arguments) => Multiply(pool, arguments, SimdDispatch.Level);

    internal static void Multiply(WorkerPool pool, in GroupedMatMulArguments arguments, SimdLevel level)
    {
        ArgumentNullException.ThrowIfNull(pool);
        int tiles = (int)(((long)arguments.Layout.Outputs + RowTile - 1) / RowTile);
        switch (level)
        {
            case SimdLevel.V512: pool.Run(new Work<Lanes512>(pool, arguments), tiles); break;
            case SimdLevel.V256: pool.Run(new Work<Lanes256>(pool, arguments), tiles); break;
            default: pool.Run(new Work<Lanes128>(pool, arguments), tiles); break;
        }
    }

    /// <summary>Decodes a row: <c>scale · (code - zero)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void DecodeRow(in GroupedAffineLayout layout, int* codes, float* scales, float* zeros, float* values)
    {
        int bits = layout.Bits;
        byte* bytes = (byte*)codes;
        var toTop = Vector256.Create(
            1u << (32 - bits), 1u << (32 - (2 * bits)), 1u << (32 - (3 * bits)), 1u << (32 - (4 * bits)), 1u << (32 - (5 * bits)), 1u << (32 - (6 * bits)), 1u << (32 - (7 * bits)), 1u << (32 - (8 * bits)));
        for (int group = 0, k = 0; k < layout.Columns; group++)
        {
            int end = Math.Min(k + layout.GroupLength, layout.Columns);
            var scale = Vector256.Create(scales[group]);
            var zero = Vector256.Create(zeros[group]);
            for (; k < end; k += Step, bytes += bits)
            {
                // Eight codes take as many bytes as one has bits; nothing behind them is read.
                Vector256<int> whole = bits switch
                {
                    2 => ((Vector256.Create((uint)*(ushort*)bytes) * toTop) >>> 30).AsInt32(),
                    3 => ((Vector256.Create(*(ushort*)bytes | ((uint)bytes[2] << 16)) * toTop) >>> 29).AsInt32(),
                    4 => ((Vector256.Create(*(uint*)bytes) * toTop) >>> 28).AsInt32(),
                    _ => OfBytes(*(ulong*)bytes),
                };
                (scale * (Vector256.ConvertToSingle(whole) - zero)).Store(values + k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> OfBytes(ulong bytes)
    {
        var wide = Vector128.WidenLower(Vector128.CreateScalar(bytes).AsByte());
        return Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide)).AsInt32();
    }

    private readonly struct Work<TLanes>(WorkerPool pool, GroupedMatMulArguments arguments) : IParallelWork
        where TLanes : unmanaged, ILanes<TLanes>
    {
        public void Execute(int start, int end, int worker)
        {
            var layout = arguments.Layout;
            int columns = layout.Columns;

            // One row more than the tile: where a row lies before it is put in order.
            float* tile = (float*)pool.Scratch(worker, (RowTile + 1L) * columns * sizeof(float));
            float* inOrderOfMatrix = tile + ((long)RowTile * columns);
            for (int i = start; i < end; i++)
            {
                int first = i * RowTile;
                int count = Math.Min(RowTile, layout.Outputs - first);
                for (int r = 0; r < count; r++)
                {
                    long n = first + r;
                    float* row = tile + ((long)r * columns);
                    float* decoded = arguments.Order == null ? row : inOrderOfMatrix;
                    DecodeRow(layout, arguments.Codes + (n * layout.WordsPerRow), arguments.Scales + (n * layout.GroupsPerRow), arguments.Zeros + (n * layout.GroupsPerRow), decoded);
                    if (arguments.Order == null) continue;
                    for (int k = 0; k < columns; k++) row[arguments.Order[k]] = decoded[k];
                }

                FloatTile<TLanes>.Multiply(tile, arguments.Input, arguments.Output + first, arguments.Bias == null ? null : arguments.Bias + first, arguments.Rows, columns, layout.Outputs, count);
            }
        }
    }
}
