using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// The numbers of <see cref="QuantizedActivations"/> in the order in which <see cref="MatMulSimdInterleaved"/> reads them: rows in chunks of
/// <see cref="ChunkRows"/>, in a chunk block after block of 32 columns, in a block row after row.
/// </summary>
internal readonly unsafe struct InterleavedActivations
{
    /// <summary>Rows of a chunk: with a model's width it stays in the second-level cache, and the sums of a tile in the first.</summary>
    public const int ChunkRows = 64;

    private const int BlockLength = QuantizedActivations.BlockLength;

    public InterleavedActivations(byte* memory, int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        Codes = (sbyte*)memory;
        Parts = (BlockParts*)(memory + ((long)rows * columns));
    }

    public int Rows { get; }

    public int Columns { get; }

    public sbyte* Codes { get; }

    public BlockParts* Parts { get; }

    /// <summary>What belongs to the 32 codes of a row's block.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    public struct BlockParts
    {
        /// <summary>max|x| / 127.</summary>
        public float Scale;

        /// <summary>The sums of the first and of the last 16 codes, 16 bit each, the first below.</summary>
        public int CodeSums;

        /// <summary>Scale times the sum of all codes.</summary>
        public float Sum32;

        /// <summary>Scale times the sum of the first 16 codes.</summary>
        public float SumLow;

        /// <summary>Scale times the sum of the last 16 codes.</summary>
        public float SumHigh;
    }

    /// <summary>Memory that <paramref name="rows"/> rows need.</summary>
    public static long Bytes(int rows, int columns) => ((long)rows * columns) + ((long)rows * (columns / BlockLength) * sizeof(BlockParts));

    /// <summary>Rounds all rows of <paramref name="input"/>.</summary>
    public void Quantize(WorkerPool pool, float* input) => pool.Run(new Work(this, input), Rows, Math.Max(1, 8192 / Math.Max(1, Columns)));

    /// <summary>Rows of the chunk that starts at <paramref name="chunk"/>.</summary>
    public int RowsOfChunk(int chunk) => Math.Min(ChunkRows, Rows - chunk);

    private readonly struct Work(InterleavedActivations target, float* input) : IParallelWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int start, int end, int worker)
        {
            int blocks = target.Columns / BlockLength;
            for (int row = start; row < end; row++)
            {
                int chunk = row - (row % ChunkRows);
                int rows = target.RowsOfChunk(chunk);
                float* values = input + ((long)row * target.Columns);
                long place = ((long)chunk * blocks) + (row - chunk);
                for (int block = 0; block < blocks; block++, values += BlockLength, place += rows)
                {
                    float scale = QuantizedActivations.RoundBlock(values, target.Codes + (place * BlockLength), out int low, out int high);
                    target.Parts[place] = new BlockParts
                    {
                        Scale = scale,
                        CodeSums = (low & 0xFFFF) | (high << 16),
                        Sum32 = scale * (low + high),
                        SumLow = scale * low,
                        SumHigh = scale * high,
                    };
                }
            }
        }
    }
}
