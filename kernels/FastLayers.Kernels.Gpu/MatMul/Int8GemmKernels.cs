using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of many rows of 8-bit activations with a block matrix, in the tiles of <see cref="GemmKernels"/>: 32 columns at a time of both
/// operands lie in shared memory as words of four codes, transposed, with their scales, minimums and sums over 16 columns beside them.
/// Sums over 16 columns are exact integers.
/// </summary>
internal static class Int8GemmKernels
{
    private const int Depth = GemmKernels.Depth;
    private const int PerThread = GemmKernels.PerThread;

    /// <summary>Places of four between two words in shared memory; see <see cref="GemmKernels"/>.</summary>
    public const int Pitch = 17;

    /// <summary>Words of four codes a row of the tile.</summary>
    private const int Words = Depth / 4;

    /// <summary>Pieces of 16 columns with a scale of their own.</summary>
    private const int Halves = 2;

    public static void Tile<TBlock>(CodeProduct a)
        where TBlock : struct, IGpuBlock
    {
        if (CudaAsm.IsSupported) Tile<TBlock, CudaCodeTile>(a);
        else Tile<TBlock, PortableCodeTile>(a);
    }

    /// <summary>The kernel with one of the ways to sum.</summary>
    public static void Tile<TBlock, TTile>(CodeProduct a)
        where TBlock : struct, IGpuBlock
        where TTile : struct, ICodeTile
    {
        TTile codeTile = default;
        TBlock format = default;
        var weightCodes = SharedMemory.Allocate<Int4>(Words * Pitch);
        var weightScales = SharedMemory.Allocate<Float4>(Halves * Pitch);
        var weightMinimums = SharedMemory.Allocate<Float4>(Halves * Pitch);
        var activationCodes = SharedMemory.Allocate<Int4>(Words * Pitch);
        var activationScales = SharedMemory.Allocate<Float4>(Pitch);
        var activationSums = SharedMemory.Allocate<Float4>(Halves * Pitch);
        int tileOutputs = a.Across * PerThread;
        int tileRows = Group.DimX / a.Across * PerThread;
        int firstOutput = Grid.IdxX * tileOutputs;
        int firstRow = Grid.IdxY * tileRows;
        int down = Group.IdxX / a.Across;
        int across = Group.IdxX - (down * a.Across);
        Float4x4 sums = default;
        codeTile.Begin();
        for (int step = 0; step < a.Weights.Columns / Depth; step++)
        {
            LoadWeights<TBlock>(a, step, firstOutput, tileOutputs, weightCodes.Cast<int>(), weightScales.Cast<float>(), weightMinimums.Cast<float>());
            LoadActivations(a, step, firstRow, tileRows, activationCodes.Cast<int>(), activationScales.Cast<float>(), activationSums.Cast<float>());
            Group.Barrier();
            for (int half = 0; half < Halves; half++)
            {
                Int4x4 dots = default;
                for (int word = half * (Words / Halves); word < (half + 1) * (Words / Halves); word++)
                    dots = codeTile.AddDots(dots, activationCodes[(word * Pitch) + down], weightCodes[(word * Pitch) + across]);
                sums = codeTile.AddScaled(sums, dots, activationScales[down], weightScales[(half * Pitch) + across]);
                if (format.HasMinimums)
                {
                    var minimums = weightMinimums[(half * Pitch) + across];
                    var rowSums = activationSums[(half * Pitch) + down];
                    sums.Row0 = Quads.AddScaled(sums.Row0, -rowSums.X, minimums);
                    sums.Row1 = Quads.AddScaled(sums.Row1, -rowSums.Y, minimums);
                    sums.Row2 = Quads.AddScaled(sums.Row2, -rowSums.Z, minimums);
                    sums.Row3 = Quads.AddScaled(sums.Row3, -rowSums.W, minimums);
                }
            }

            Group.Barrier();
        }

        sums = codeTile.End(sums);
        int row = firstRow + (down * PerThread);
        int output = firstOutput + (across * PerThread);
        StoreRow(a, row, output, sums.Row0);
        StoreRow(a, row + 1, output, sums.Row1);
        StoreRow(a, row + 2, output, sums.Row2);
        StoreRow(a, row + 3, output, sums.Row3);
    }

    /// <summary>Stages 32 columns of the weights of a tile.</summary>
    public static void LoadWeights<TBlock>(
        CodeProduct a, int step, int firstOutput, int outputs, ArrayView<int> codes, ArrayView<float> scales, ArrayView<float> minimums)
        where TBlock : struct, IGpuBlock
    {
        TBlock format = default;
        int block = step / (format.BlockLength / Depth);
        int inBlock = step & ((format.BlockLength / Depth) - 1);
        for (int i = Group.IdxX; i < outputs * Words; i += Group.DimX)
        {
            int output = i / Words;
            int word = i & (Words - 1);
            bool exists = firstOutput + output < a.Weights.Rows;
            codes[(word * Pitch * 4) + output] = exists ? format.Codes(a.Weights.RowCodes<TBlock>(firstOutput + output), block, (inBlock * Words) + word) : 0;
        }

        for (int i = Group.IdxX; i < outputs * Halves; i += Group.DimX)
        {
            int output = i / Halves;
            int half = i & (Halves - 1);
            int group = ((inBlock * Halves) + half) / (format.GroupLength / 16);
            bool exists = firstOutput + output < a.Weights.Rows;
            var rest = a.Weights.RowRest<TBlock>(exists ? firstOutput + output : 0);
            scales[(half * Pitch * 4) + output] = exists ? format.Scale(rest, block, group) : 0;
            if (format.HasMinimums) minimums[(half * Pitch * 4) + output] = exists ? format.Minimum(rest, block, group) : 0;
        }
    }

    /// <summary>Stages 32 columns of the activations of a tile.</summary>
    public static void LoadActivations(
        CodeProduct a, int step, int firstRow, int rows, ArrayView<int> codes, ArrayView<float> scales, ArrayView<float> sums)
    {
        int columns = a.Weights.Columns;
        for (int i = Group.IdxX; i < rows * Words; i += Group.DimX)
        {
            int row = i / Words;
            int word = i & (Words - 1);
            codes[(word * Pitch * 4) + row] = firstRow + row < a.Rows ? a.Activations.Codes[((long)(firstRow + row) * (columns / 4)) + (step * Words) + word] : 0;
        }

        for (int i = Group.IdxX; i < rows * Halves; i += Group.DimX)
        {
            int row = i / Halves;
            int half = i & (Halves - 1);
            bool exists = firstRow + row < a.Rows;
            if (half == 0) scales[row] = exists ? a.Activations.Scales[((long)(firstRow + row) * (columns / 32)) + step] : 0;
            sums[(half * Pitch * 4) + row] = exists ? a.Activations.Sums16[((long)(firstRow + row) * (columns / 16)) + (step * Halves) + half] : 0;
        }
    }

    private static void StoreRow(CodeProduct a, int row, int output, Float4 sums)
    {
        a.Store(row, output, sums.X);
        a.Store(row, output + 1, sums.Y);
        a.Store(row, output + 2, sums.Z);
        a.Store(row, output + 3, sums.W);
    }
}
