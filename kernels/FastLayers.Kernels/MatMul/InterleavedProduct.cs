using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// The product of interleaved rows with rounded activations. Of 32 columns, eight vectors stay in registers: the weights of a tile for all rows
/// of a chunk of activations, or one row of activations for tiles from several places of memory. A <c>vpmaddubsw</c> a vector multiplies eight
/// rows with four activations, sums stay in 16 bit as long as they fit, <c>vpmaddwd</c> widens them and multiplies by the integers of the
/// groups. Integers are exact; each block of 32 is added in float, and each block of the format is multiplied by its factor then. The
/// arithmetic of an output depends neither on the other rows nor on threads. Bound: one row of activations, reading the weights; many,
/// two multiply-adds a cycle.
/// </summary>
internal readonly unsafe struct InterleavedProduct<TCodes, TScales>(MatMulArguments arguments, InterleavedActivations activations, long tileBytes, long codeBytes)
    where TCodes : struct, IInterleavedCodes
    where TScales : struct, IInterleavedScales
{
    private const int BlockLength = QuantizedActivations.BlockLength;
    private const int TileRows = InterleavedLayout.TileRows;

    /// <summary>Tiles that one row of activations is multiplied with at once.</summary>
    private const int Streams = 4;

    /// <summary>How far ahead codes are asked for: about the bytes that arrive during one access of memory.</summary>
    private const int PrefetchBytes = 1024;

    /// <summary>Floats for a row of sums: those of the blocks that are done, and of the block at hand without its factors.</summary>
    private static int SumLength
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TileRows * (IsOneFactor ? 1 : TScales.Minimums == 0 ? 2 : 3);
    }

    /// <summary>Whether 32 columns are a block of the format.</summary>
    private static bool IsOneFactor
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TScales.Columns == BlockLength;
    }

    /// <summary>Multiplies with tiles <paramref name="start"/> to <paramref name="end"/> (exclusive).</summary>
    [SkipLocalsInit]
    public void Execute(int start, int end)
    {
        float* sums = stackalloc float[(InterleavedActivations.ChunkRows * 3 * TileRows) + TileRows];
        sums = (float*)(((nuint)sums + 31) & ~(nuint)31);
        if (arguments.Rows == 1)
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
                TileSums.Store(arguments, tile, chunk, rows, sums, SumLength);
            }
        }
    }

    /// <summary>Memory is the bound: tiles from four places of the share are read at once, which is faster than one after another.</summary>
    private void OneRow(int start, int end, float* sums)
    {
        int perStream = (end - start + Streams - 1) / Streams;
        int* places = stackalloc int[Streams];
        byte** tiles = stackalloc byte*[Streams];
        for (int i = 0; i < perStream; i++)
        {
            for (int s = 0; s < Streams; s++)
            {
                places[s] = Math.Min(start + i + (s * perStream), end - 1);
                tiles[s] = Weights(places[s]);
            }

            SeveralTiles(tiles, codeBytes, activations.Codes, activations.Parts, arguments.Columns / BlockLength, sums);
            for (int s = 0; s < Streams; s++) TileSums.Store(arguments, places[s], 0, 1, sums + (s * SumLength), SumLength);
        }
    }

    private byte* Weights(int tile) => arguments.Weights + (tile * tileBytes);

    // The tiles are a loop, not written out: the compiler would share numbers between them until most of its registers are in memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SeveralTiles(byte** tiles, long unit, sbyte* x, InterleavedActivations.BlockParts* parts, int blocks, float* sums)
    {
        new Span<float>(sums, Streams * SumLength).Clear();
        long code = 0;
        int part = 0;
        for (var last = parts + blocks; parts != last; parts++, x += BlockLength, code += TCodes.Bytes)
        {
            var x0 = Activations.Load((byte*)x, 0);
            var x1 = Activations.Load((byte*)x, 1);
            var x2 = Activations.Load((byte*)x, 2);
            var x3 = Activations.Load((byte*)x, 3);
            var x4 = Activations.Load((byte*)x, 4);
            var x5 = Activations.Load((byte*)x, 5);
            var x6 = Activations.Load((byte*)x, 6);
            var x7 = Activations.Load((byte*)x, 7);
            float* total = sums;
            for (int s = 0; s < Streams; s++, total += SumLength)
            {
                byte* codes = tiles[s] + code;
                byte* scales = tiles[s] + unit;
                Prefetch(codes);
                var sum = Dot<Codes>(x0, x1, x2, x3, x4, x5, x6, x7, codes, Integer(scales, part), UpperInteger(scales, part));
                Add(sum, Offsets(scales, part), Factor(scales), Minimum(scales, part), TwoMinimums(scales, part), parts, total);
            }

            if (++part < TScales.Columns / BlockLength) continue;
            if (!IsOneFactor)
            {
                total = sums;
                for (int s = 0; s < Streams; s++, total += SumLength) Finish(TScales.Factor(tiles[s] + unit), TScales.MinimumFactor(tiles[s] + unit), total);
            }

            part = 0;
            unit += TScales.Bytes;
        }
    }

    /// <summary>Asks for the codes that come some blocks later: the arithmetic of a block is too long for the processor to look past several.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* codes)
    {
        for (int i = 0; i < TCodes.Bytes; i += 64) Sse.Prefetch0(codes + PrefetchBytes + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Tile(byte* codes, int chunk, int rows, float* sums)
    {
        int blocks = arguments.Columns / BlockLength;
        byte* unit = codes + codeBytes;
        byte* x = (byte*)activations.Codes + ((long)chunk * arguments.Columns);
        var parts = activations.Parts + ((long)chunk * blocks);
        float* last = sums + (rows * SumLength);
        new Span<float>(sums, rows * SumLength).Clear();
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
            var integer = Integer(unit, part);
            var upperInteger = UpperInteger(unit, part);
            var offsets = Offsets(unit, part);
            var factor = Factor(unit);
            var minimum = Minimum(unit, part);
            var twoMinimums = TwoMinimums(unit, part);
            for (float* total = sums; total != last; total += SumLength, x += BlockLength, parts++)
                Add(Dot<Activations>(w0, w1, w2, w3, w4, w5, w6, w7, x, integer, upperInteger), offsets, factor, minimum, twoMinimums, parts, total);

            if (++part < TScales.Columns / BlockLength) continue;
            if (!IsOneFactor)
            {
                factor = TScales.Factor(unit);
                minimum = TScales.MinimumFactor(unit);
                for (float* total = sums; total != last; total += SumLength) Finish(factor, minimum, total);
            }

            part = 0;
            unit += TScales.Bytes;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Integer(byte* unit, int part) => TScales.Integers == 0 ? Vector256<short>.One : TScales.Integer(unit, part * TScales.Integers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> UpperInteger(byte* unit, int part) => TScales.Integers == 2 ? TScales.Integer(unit, (2 * part) + 1) : Integer(unit, part);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Factor(byte* unit) => IsOneFactor ? TScales.Factor(unit) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Minimum(byte* unit, int part)
    {
        if (TScales.Minimums != 1) return default;
        return IsOneFactor ? TScales.MinimumFactor(unit) : TScales.Minimum(unit, part);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> TwoMinimums(byte* unit, int part) => TScales.Minimums == 2 ? TScales.TwoMinimums(unit, 2 * part) : default;

    /// <summary>What the products of codes without a sign are too large by, as factors of the sums of activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Offsets(byte* unit, int part)
    {
        if (TCodes.Offset == 0) return default;
        if (TScales.Integers == 0) return Vector256.Create((short)TCodes.Offset);
        return (TScales.Integers == 2 ? TScales.TwoIntegers(unit, 2 * part) : Integer(unit, part)) * (short)TCodes.Offset;
    }

    /// <summary>
    /// Adds the products of 32 columns of 8 rows with a row of activations. Blocks of the format that are longer get their factors in
    /// <see cref="Finish"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector256<int> sum, Vector256<short> offsets, Vector256<float> factor, Vector256<float> minimum, Vector256<short> twoMinimums, InterleavedActivations.BlockParts* parts, float* total)
    {
        if (TCodes.Offset != 0) sum -= Products(offsets, parts);
        var product = Vector256.ConvertToSingle(sum);
        if (IsOneFactor)
        {
            var result = Vector256.MultiplyAddEstimate(product, factor * Vector256.Create(parts->Scale), Vector256.LoadAligned(total));
            if (TScales.Minimums == 1) result = Subtract(result, minimum, Vector256.Create(parts->Sum32));
            result.StoreAligned(total);
            return;
        }

        Vector256.MultiplyAddEstimate(product, Vector256.Create(parts->Scale), Vector256.LoadAligned(total + TileRows)).StoreAligned(total + TileRows);
        if (TScales.Minimums == 0) return;
        var least = Vector256.LoadAligned(total + (2 * TileRows));
        if (TScales.Minimums == 1) least = Vector256.MultiplyAddEstimate(minimum, Vector256.Create(parts->Sum32), least);
        else least = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Products(twoMinimums, parts)), Vector256.Create(parts->Scale), least);
        least.StoreAligned(total + (2 * TileRows));
    }

    /// <summary>The sums of the first and of the last 16 activations, times a number of each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<short> numbers, InterleavedActivations.BlockParts* parts) => Avx2.MultiplyAddAdjacent(numbers, Vector256.Create(parts->CodeSums).AsInt16());

    /// <summary>Adds a block of several times 32 columns, with its factors, and starts the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(Vector256<float> factor, Vector256<float> minimumFactor, float* total)
    {
        var result = Vector256.MultiplyAddEstimate(Vector256.LoadAligned(total + TileRows), factor, Vector256.LoadAligned(total));
        Vector256<float>.Zero.StoreAligned(total + TileRows);
        if (TScales.Minimums > 0)
        {
            result = Subtract(result, minimumFactor, Vector256.LoadAligned(total + (2 * TileRows)));
            Vector256<float>.Zero.StoreAligned(total + (2 * TileRows));
        }

        result.StoreAligned(total);
    }

    /// <summary>
    /// The products of 32 columns of 8 rows with a row of activations, times the integers of the groups: eight vectors that are kept, and eight
    /// that are loaded.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Dot<TLoaded>(
        Vector256<byte> k0, Vector256<byte> k1, Vector256<byte> k2, Vector256<byte> k3, Vector256<byte> k4, Vector256<byte> k5, Vector256<byte> k6, Vector256<byte> k7,
        byte* loaded, Vector256<short> integer, Vector256<short> upperInteger)
        where TLoaded : struct, IOperand
    {
        if (TCodes.VectorsPerSum == 8 && TScales.Integers < 2)
        {
            var sum = Pairs<TLoaded>(k0, loaded, 0) + Pairs<TLoaded>(k1, loaded, 1);
            sum += Pairs<TLoaded>(k2, loaded, 2) + Pairs<TLoaded>(k3, loaded, 3);
            sum += Pairs<TLoaded>(k4, loaded, 4) + Pairs<TLoaded>(k5, loaded, 5);
            sum += Pairs<TLoaded>(k6, loaded, 6) + Pairs<TLoaded>(k7, loaded, 7);
            return Avx2.MultiplyAddAdjacent(sum, integer);
        }

        return Four<TLoaded>(k0, k1, k2, k3, loaded, 0, integer) + Four<TLoaded>(k4, k5, k6, k7, loaded, 4, upperInteger);
    }

    /// <summary>Products of 16 columns of each row, summed and multiplied by an integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Four<TLoaded>(Vector256<byte> k0, Vector256<byte> k1, Vector256<byte> k2, Vector256<byte> k3, byte* loaded, int index, Vector256<short> integer)
        where TLoaded : struct, IOperand
    {
        var p0 = Pairs<TLoaded>(k0, loaded, index);
        var p1 = Pairs<TLoaded>(k1, loaded, index + 1);
        if (TCodes.VectorsPerSum >= 4)
        {
            p0 = (p0 + p1) + (Pairs<TLoaded>(k2, loaded, index + 2) + Pairs<TLoaded>(k3, loaded, index + 3));
            return Avx2.MultiplyAddAdjacent(p0, integer);
        }

        if (TCodes.VectorsPerSum == 2)
        {
            var sum = Avx2.MultiplyAddAdjacent(p0 + p1, integer);
            return sum + Avx2.MultiplyAddAdjacent(Pairs<TLoaded>(k2, loaded, index + 2) + Pairs<TLoaded>(k3, loaded, index + 3), integer);
        }

        var low = Avx2.MultiplyAddAdjacent(p0, integer) + Avx2.MultiplyAddAdjacent(p1, integer);
        return low + (Avx2.MultiplyAddAdjacent(Pairs<TLoaded>(k2, loaded, index + 2), integer) + Avx2.MultiplyAddAdjacent(Pairs<TLoaded>(k3, loaded, index + 3), integer));
    }

    /// <summary>Products of two columns of each row, summed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pairs<TLoaded>(Vector256<byte> kept, byte* loaded, int index)
        where TLoaded : struct, IOperand
    {
        var other = TLoaded.Load(loaded, index);
        var weights = TLoaded.IsWeights ? other : kept;
        var values = (TLoaded.IsWeights ? kept : other).AsSByte();
        return TCodes.IsSigned
            ? Avx2.MultiplyAddAdjacent(Avx2.Abs(weights.AsSByte()), Avx2.Sign(values, weights.AsSByte()))
            : Avx2.MultiplyAddAdjacent(weights, values);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Subtract(Vector256<float> total, Vector256<float> minimum, Vector256<float> sum) =>
        Fma.IsSupported ? Fma.MultiplyAddNegated(minimum, sum, total) : total - (minimum * sum);

    /// <summary>What is loaded vector by vector while the other operand stays in registers.</summary>
    private interface IOperand
    {
        static abstract bool IsWeights { get; }

        static abstract Vector256<byte> Load(byte* source, int index);
    }

    private readonly struct Codes : IOperand
    {
        public static bool IsWeights => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<byte> Load(byte* source, int index) => TCodes.Load(source, index);
    }

    /// <summary>Four activations, for each row of the tile.</summary>
    private readonly struct Activations : IOperand
    {
        public static bool IsWeights => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<byte> Load(byte* source, int index) => Vector256.Create(((int*)source)[index]).AsByte();
    }
}
