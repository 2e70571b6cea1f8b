using System.Runtime.CompilerServices;
using FastLayers.Kernels.MatMul;

namespace FastLayers.Kernels.Emit;

/// <summary>
/// The share of a worker in the product of an emitted kernel. The tiles that are multiplied at once come from as many places of the share, far
/// apart: memory gives more to several streams than to one.
/// </summary>
internal readonly unsafe struct EmittedProduct(EmittedKernel kernel, MatMulArguments arguments, InterleavedActivations activations, long tileBytes, long codeBytes)
{
    private const int TileRows = InterleavedLayout.TileRows;
    private const int MostTiles = 4;
    private const int Alignment = 64;

    /// <summary>Multiplies with tiles <paramref name="start"/> to <paramref name="end"/> (exclusive).</summary>
    [SkipLocalsInit]
    public void Execute(int start, int end)
    {
        int blocks = arguments.Columns / QuantizedActivations.BlockLength;
        float* sums = stackalloc float[(InterleavedActivations.ChunkRows * MostTiles * TileRows) + (Alignment / sizeof(float))];
        sums = (float*)(((nuint)sums + Alignment - 1) & ~(nuint)(Alignment - 1));
        int perStream = (end - start + kernel.Tiles - 1) / kernel.Tiles;
        int* tiles = stackalloc int[MostTiles];
        for (int chunk = 0; chunk < arguments.Rows; chunk += InterleavedActivations.ChunkRows)
        {
            int rows = activations.RowsOfChunk(chunk);
            for (int i = 0; i < perStream; i++)
            {
                for (int j = 0; j < MostTiles; j++) tiles[j] = Math.Min(start + i + (j * perStream), end - 1);
                var call = new EmittedCall
                {
                    Tile0 = Weights(tiles[0]),
                    Tile1 = Weights(tiles[1]),
                    Tile2 = Weights(tiles[2]),
                    Tile3 = Weights(tiles[3]),
                    CodeBytes = codeBytes,
                    Activations = activations.Codes + ((long)chunk * arguments.Columns),
                    Parts = activations.Parts + ((long)chunk * blocks),
                    Sums = sums,
                    SumBytes = (long)rows * kernel.Tiles * TileRows * sizeof(float),
                    Blocks = blocks,
                };
                new Span<byte>(sums, (int)call.SumBytes).Clear();
                if (blocks > 0) kernel.Run(&call);
                for (int j = 0; j < kernel.Tiles; j++) TileSums.Store(arguments, tiles[j], chunk, rows, sums + (j * TileRows), kernel.Tiles * TileRows);
            }
        }
    }

    private byte* Weights(int tile) => arguments.Weights + (tile * tileBytes);
}
