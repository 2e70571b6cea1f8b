using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// The product of interleaved floats with float activations. Six rows of activations are multiplied with two tiles at once: twelve sums in
/// registers for eight loads. A row left over is multiplied with four tiles, from four places of the worker's share, since memory is the bound
/// then and several streams are read faster than one. Each output is one chain of multiply-adds over the columns, whatever the other rows and
/// the threads are. Bound: two multiply-adds a cycle, or reading the weights.
/// </summary>
internal readonly unsafe struct InterleavedFloatProduct<TFloats>(WorkerPool pool, MatMulArguments arguments, InterleavedRows rows, long tileBytes)
    where TFloats : struct, IInterleavedFloats
{
    private const int TileRows = InterleavedLayout.TileRows;
    private const int RowsAtOnce = InterleavedRows.GroupRows;
    private const int Streams = 4;
    private const int RowsWorthWidening = 4 * RowsAtOnce;

    /// <summary>Multiplies with tiles <paramref name="start"/> to <paramref name="end"/> (exclusive).</summary>
    [SkipLocalsInit]
    public void Execute(int start, int end, int worker)
    {
        // The kernels leave their sums in memory: sums that live across a call would be kept there during the loop.
        float* sums = stackalloc float[(2 * RowsAtOnce * TileRows) + TileRows];
        sums = (float*)(((nuint)sums + 31) & ~(nuint)31);
        int whole = rows.Count;
        for (int tile = start; tile < end && whole > 0; tile += 2)
        {
            int second = Math.Min(tile + 1, end - 1);
            bool isWidened = TFloats.IsCostly && whole >= RowsWorthWidening;
            float* widened = isWidened ? Widened(tile, second, worker) : null;
            for (int row = 0; row < whole; row += RowsAtOnce)
            {
                var x = rows.Group(row, arguments.Columns);
                if (isWidened) InterleavedFloatProduct<InterleavedF32>.SixRows((byte*)widened, (byte*)(widened + ((long)TileRows * arguments.Columns)), x, arguments.Columns, sums);
                else SixRows(Tile(tile), Tile(second), x, arguments.Columns, sums);
                for (int r = 0; r < RowsAtOnce; r++)
                {
                    TileSums.Store(arguments, tile, row + r, 1, sums + (2 * r * TileRows), TileRows);
                    TileSums.Store(arguments, second, row + r, 1, sums + (((2 * r) + 1) * TileRows), TileRows);
                }
            }
        }

        int perStream = (end - start + Streams - 1) / Streams;
        for (int i = 0; i < perStream && whole < arguments.Rows; i++)
        {
            int t0 = start + i;
            int t1 = Math.Min(t0 + perStream, end - 1);
            int t2 = Math.Min(t1 + perStream, end - 1);
            int t3 = Math.Min(t2 + perStream, end - 1);
            for (int row = whole; row < arguments.Rows; row++)
            {
                OneRow(Tile(t0), Tile(t1), Tile(t2), Tile(t3), arguments.Input + ((long)row * arguments.Columns), arguments.Columns, sums);
                TileSums.Store(arguments, t0, row, 1, sums, TileRows);
                TileSums.Store(arguments, t1, row, 1, sums + TileRows, TileRows);
                TileSums.Store(arguments, t2, row, 1, sums + (2 * TileRows), TileRows);
                TileSums.Store(arguments, t3, row, 1, sums + (3 * TileRows), TileRows);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(byte* w0, byte* w1, byte* w2, byte* w3, float* x, int columns, float* sums)
    {
        var s0 = Vector256<float>.Zero;
        var s1 = Vector256<float>.Zero;
        var s2 = Vector256<float>.Zero;
        var s3 = Vector256<float>.Zero;
        for (long k = 0; k < columns; k++)
        {
            var value = Vector256.Create(x[k]);
            s0 = Vector256.MultiplyAddEstimate(TFloats.Load(w0, k), value, s0);
            s1 = Vector256.MultiplyAddEstimate(TFloats.Load(w1, k), value, s1);
            s2 = Vector256.MultiplyAddEstimate(TFloats.Load(w2, k), value, s2);
            s3 = Vector256.MultiplyAddEstimate(TFloats.Load(w3, k), value, s3);
        }

        s0.StoreAligned(sums);
        s1.StoreAligned(sums + 8);
        s2.StoreAligned(sums + 16);
        s3.StoreAligned(sums + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void SixRows(byte* w, byte* v, float* x, int columns, float* sums)
    {
        var a0 = Vector256<float>.Zero;
        var b0 = Vector256<float>.Zero;
        var a1 = Vector256<float>.Zero;
        var b1 = Vector256<float>.Zero;
        var a2 = Vector256<float>.Zero;
        var b2 = Vector256<float>.Zero;
        var a3 = Vector256<float>.Zero;
        var b3 = Vector256<float>.Zero;
        var a4 = Vector256<float>.Zero;
        var b4 = Vector256<float>.Zero;
        var a5 = Vector256<float>.Zero;
        var b5 = Vector256<float>.Zero;
        for (long k = 0; k < columns; k++, x += RowsAtOnce)
        {
            var first = TFloats.Load(w, k);
            var second = TFloats.Load(v, k);
            var value = Vector256.Create(x[0]);
            a0 = Vector256.MultiplyAddEstimate(first, value, a0);
            b0 = Vector256.MultiplyAddEstimate(second, value, b0);
            value = Vector256.Create(x[1]);
            a1 = Vector256.MultiplyAddEstimate(first, value, a1);
            b1 = Vector256.MultiplyAddEstimate(second, value, b1);
            value = Vector256.Create(x[2]);
            a2 = Vector256.MultiplyAddEstimate(first, value, a2);
            b2 = Vector256.MultiplyAddEstimate(second, value, b2);
            value = Vector256.Create(x[3]);
            a3 = Vector256.MultiplyAddEstimate(first, value, a3);
            b3 = Vector256.MultiplyAddEstimate(second, value, b3);
            value = Vector256.Create(x[4]);
            a4 = Vector256.MultiplyAddEstimate(first, value, a4);
            b4 = Vector256.MultiplyAddEstimate(second, value, b4);
            value = Vector256.Create(x[5]);
            a5 = Vector256.MultiplyAddEstimate(first, value, a5);
            b5 = Vector256.MultiplyAddEstimate(second, value, b5);
        }

        a0.StoreAligned(sums + 0);
        b0.StoreAligned(sums + 8);
        a1.StoreAligned(sums + 16);
        b1.StoreAligned(sums + 24);
        a2.StoreAligned(sums + 32);
        b2.StoreAligned(sums + 40);
        a3.StoreAligned(sums + 48);
        b3.StoreAligned(sums + 56);
        a4.StoreAligned(sums + 64);
        b4.StoreAligned(sums + 72);
        a5.StoreAligned(sums + 80);
        b5.StoreAligned(sums + 88);
    }

    /// <summary>Two tiles as floats.</summary>
    private float* Widened(int tile, int second, int worker)
    {
        float* target = (float*)pool.Scratch(worker, 2L * TileRows * arguments.Columns * sizeof(float));
        Widen(Tile(tile), arguments.Columns, target);
        Widen(Tile(second), arguments.Columns, target + ((long)TileRows * arguments.Columns));
        return target;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(byte* tile, int columns, float* target)
    {
        for (long k = 0; k < columns; k++) TFloats.Load(tile, k).StoreAligned(target + (k * TileRows));
    }

    private byte* Tile(int tile) => arguments.Weights + (tile * tileBytes);
}
