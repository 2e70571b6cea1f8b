using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// The product of interleaved rows with rounded activations. 32 columns of a tile are unpacked into eight vectors, which stay in registers for
/// all rows of a chunk of activations: a <c>vpmaddubsw</c> a vector multiplies eight rows with four activations, sums stay in 16 bit as long as
/// they fit, <c>vpmaddwd</c> widens them and multiplies by the integers of the groups. Integers are exact; each block of 32 is added in float.
/// The arithmetic of an output depends neither on the other rows nor on threads. Bound: one row of activations, reading the weights; many,
/// two multiply-adds a cycle.
/// </summary>
internal readonly unsafe struct InterleavedProduct<TCodes, TScales>(MatMulArguments arguments, InterleavedActivations activations, long tileBytes, long codeBytes) : IParallelWork
    where TCodes : struct, IInterleavedCodes
    where TScales : struct, IInterleavedScales
{
    private const int BlockLength = QuantizedActivations.BlockLength;
    private const int TileRows = InterleavedLayout.TileRows;

    /// <summary>Tiles that one row of activations is multiplied with at once.</summary>
    private const int Streams = 4;

    /// <summary>How far ahead codes are asked for: about the bytes that arrive during one access of memory.</summary>
    private const int PrefetchBytes = 1024;

    /// <summary>Whether the scales of four tiles, and what is made of them, fit the registers.</summary>
    private static bool HasFewScales => TScales.Columns == BlockLength;

    [SkipLocalsInit]
    public void Execute(int start, int end, int worker)
    {
        float* sums = stackalloc float[(InterleavedActivations.ChunkRows * TileRows) + TileRows];
        sums = (float*)(((nuint)sums + 31) & ~(nuint)31);
        if (arguments.Rows == 1 && HasFewScales)
        {
            OneRow(start, end, sums);
            return;
        }

        for (int chunk = 0; chunk < arguments.Rows; chunk += InterleavedActivations.ChunkRows)
        {
            int rows = activations.RowsOfChunk(chunk);
            for (int tile = start; tile < end; tile++)
            {
                Tile(Weights(tile), chunk, rows, sums);
                Store(tile, chunk, rows, sums);
            }
        }
    }

    /// <summary>Memory is the bound: tiles from four places of the share are read at once, which is faster than one after another.</summary>
    private void OneRow(int start, int end, float* sums)
    {
        int perStream = (end - start + Streams - 1) / Streams;
        for (int i = 0; i < perStream; i++)
        {
            int t0 = start + i;
            int t1 = Math.Min(t0 + perStream, end - 1);
            int t2 = Math.Min(t1 + perStream, end - 1);
            int t3 = Math.Min(t2 + perStream, end - 1);
            FourTiles(Weights(t0), Weights(t1), Weights(t2), Weights(t3), codeBytes, (int*)activations.Codes, activations.Parts, arguments.Columns / BlockLength, sums);
            Store(t0, 0, 1, sums);
            Store(t1, 0, 1, sums + TileRows);
            Store(t2, 0, 1, sums + (2 * TileRows));
            Store(t3, 0, 1, sums + (3 * TileRows));
        }
    }

    private byte* Weights(int tile) => arguments.Weights + (tile * tileBytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourTiles(byte* t0, byte* t1, byte* t2, byte* t3, long unit, int* x, InterleavedActivations.BlockParts* parts, int blocks, float* sums)
    {
        var s0 = Vector256<float>.Zero;
        var s1 = Vector256<float>.Zero;
        var s2 = Vector256<float>.Zero;
        var s3 = Vector256<float>.Zero;
        long code = 0;
        int part = 0;
        for (var last = parts + blocks; parts != last; parts++, x += 8, code += TCodes.Bytes)
        {
            Prefetch(t0 + code);
            Prefetch(t1 + code);
            Prefetch(t2 + code);
            Prefetch(t3 + code);
            s0 = Add(t0 + code, t0 + unit, part, x, parts, s0);
            s1 = Add(t1 + code, t1 + unit, part, x, parts, s1);
            s2 = Add(t2 + code, t2 + unit, part, x, parts, s2);
            s3 = Add(t3 + code, t3 + unit, part, x, parts, s3);
            if (++part == TScales.Columns / BlockLength)
            {
                part = 0;
                unit += TScales.Bytes;
            }
        }

        s0.StoreAligned(sums);
        s1.StoreAligned(sums + 8);
        s2.StoreAligned(sums + 16);
        s3.StoreAligned(sums + 24);
    }

    /// <summary>Asks for the codes that come some blocks later: the arithmetic of a block is too long for the processor to look past several.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* codes)
    {
        for (int i = 0; i < TCodes.Bytes; i += 64) Sse.Prefetch0(codes + PrefetchBytes + i);
    }

    /// <summary>Adds the products of 32 columns of a tile with a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(byte* codes, byte* unit, int part, int* x, InterleavedActivations.BlockParts* parts, Vector256<float> total)
    {
        var scales = TScales.Load(unit, part);
        return Add(
            TCodes.Load(codes, 0), TCodes.Load(codes, 1), TCodes.Load(codes, 2), TCodes.Load(codes, 3), TCodes.Load(codes, 4), TCodes.Load(codes, 5), TCodes.Load(codes, 6), TCodes.Load(codes, 7),
            scales, Offsets(scales), x, parts, total);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Tile(byte* codes, int chunk, int rows, float* sums)
    {
        int blocks = arguments.Columns / BlockLength;
        byte* unit = codes + codeBytes;
        int* x = (int*)(activations.Codes + ((long)chunk * arguments.Columns));
        var parts = activations.Parts + ((long)chunk * blocks);
        new Span<float>(sums, rows * TileRows).Clear();
        int part = 0;
        for (int block = 0; block < blocks; block++, codes += TCodes.Bytes)
        {
            Prefetch(codes);
            var w0 = TCodes.Load(codes, 0);
            var w1 = TCodes.Load(codes, 1);
            var w2 = TCodes.Load(codes, 2);
            var w3 = TCodes.Load(codes, 3);
            var w4 = TCodes.Load(codes, 4);
            var w5 = TCodes.Load(codes, 5);
            var w6 = TCodes.Load(codes, 6);
            var w7 = TCodes.Load(codes, 7);
            var scales = TScales.Load(unit, part);
            if (++part == TScales.Columns / BlockLength)
            {
                part = 0;
                unit += TScales.Bytes;
            }

            var offsets = Offsets(scales);
            float* last = sums + (rows * TileRows);
            for (float* total = sums; total != last; total += TileRows, x += 8, parts++)
                Add(w0, w1, w2, w3, w4, w5, w6, w7, scales, offsets, x, parts, Vector256.LoadAligned(total)).StoreAligned(total);
        }
    }

    /// <summary>What the products of codes without a sign are too large by, as factors of the sums of activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Offsets(InterleavedScales scales)
    {
        if (TCodes.Offset == 0) return default;
        if (TScales.Integers == 0) return Vector256.Create((short)TCodes.Offset);
        return (TScales.Integers == 2 ? scales.Integers : scales.Integer) * (short)TCodes.Offset;
    }

    /// <summary>Adds the products of 32 columns of 8 rows with a row of activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(
        Vector256<byte> w0, Vector256<byte> w1, Vector256<byte> w2, Vector256<byte> w3, Vector256<byte> w4, Vector256<byte> w5, Vector256<byte> w6, Vector256<byte> w7,
        InterleavedScales scales, Vector256<short> offsets, int* x, InterleavedActivations.BlockParts* parts, Vector256<float> total)
    {
        var lower = TScales.Integers == 0 ? Vector256<short>.One : scales.Integer;
        Vector256<int> sum;
        if (TCodes.VectorsPerSum == 8 && TScales.Integers < 2)
        {
            var low = (Pairs(w0, x) + Pairs(w1, x + 1)) + (Pairs(w2, x + 2) + Pairs(w3, x + 3));
            var high = (Pairs(w4, x + 4) + Pairs(w5, x + 5)) + (Pairs(w6, x + 6) + Pairs(w7, x + 7));
            sum = Avx2.MultiplyAddAdjacent(low + high, lower);
        }
        else
        {
            sum = Four(w0, w1, w2, w3, x, lower) + Four(w4, w5, w6, w7, x + 4, TScales.Integers == 2 ? scales.UpperInteger : lower);
        }

        if (TCodes.Offset != 0) sum -= Avx2.MultiplyAddAdjacent(offsets, Vector256.Create(parts->CodeSums).AsInt16());
        var result = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(sum), scales.Scale * Vector256.Create(parts->Scale), total);
        if (TScales.Minimums == 1) result = Subtract(result, scales.Minimum, parts->Sum32);
        if (TScales.Minimums == 2) result = Subtract(Subtract(result, scales.Minimum, parts->SumLow), scales.UpperMinimum, parts->SumHigh);
        return result;
    }

    /// <summary>Products of two columns of each row, summed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pairs(Vector256<byte> weights, int* x)
    {
        var activations = Vector256.Create(*x).AsSByte();
        return TCodes.IsSigned
            ? Avx2.MultiplyAddAdjacent(Avx2.Abs(weights.AsSByte()), Avx2.Sign(activations, weights.AsSByte()))
            : Avx2.MultiplyAddAdjacent(weights, activations);
    }

    /// <summary>Products of 16 columns of each row, summed and multiplied by an integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Four(Vector256<byte> w0, Vector256<byte> w1, Vector256<byte> w2, Vector256<byte> w3, int* x, Vector256<short> integer)
    {
        var p0 = Pairs(w0, x);
        var p1 = Pairs(w1, x + 1);
        var p2 = Pairs(w2, x + 2);
        var p3 = Pairs(w3, x + 3);
        if (TCodes.VectorsPerSum >= 4) return Avx2.MultiplyAddAdjacent((p0 + p1) + (p2 + p3), integer);
        if (TCodes.VectorsPerSum == 2) return Avx2.MultiplyAddAdjacent(p0 + p1, integer) + Avx2.MultiplyAddAdjacent(p2 + p3, integer);
        return (Avx2.MultiplyAddAdjacent(p0, integer) + Avx2.MultiplyAddAdjacent(p1, integer)) + (Avx2.MultiplyAddAdjacent(p2, integer) + Avx2.MultiplyAddAdjacent(p3, integer));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Subtract(Vector256<float> total, Vector256<float> minimum, float sum) =>
        Fma.IsSupported ? Fma.MultiplyAddNegated(minimum, Vector256.Create(sum), total) : total - (minimum * sum);

    private void Store(int tile, int chunk, int rows, float* sums)
    {
        int first = tile * TileRows;
        int count = Math.Min(TileRows, arguments.Outputs - first);
        float* output = arguments.Output + ((long)chunk * arguments.Outputs) + first;
        float* bias = arguments.Bias == null ? null : arguments.Bias + first;
        for (int m = 0; m < rows; m++, output += arguments.Outputs, sums += TileRows)
        {
            if (count == TileRows)
            {
                var value = Vector256.LoadAligned(sums);
                if (bias != null) value += Vector256.Load(bias);
                value.Store(output);
                continue;
            }

            for (int i = 0; i < count; i++) output[i] = bias == null ? sums[i] : sums[i] + bias[i];
        }
    }
}
