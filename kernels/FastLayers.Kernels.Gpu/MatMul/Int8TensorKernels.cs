using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of many rows of 8-bit activations with a block matrix by the tensor cores of CUDA devices: tiles of 64 rows times 64 outputs, staged as
/// in <see cref="Int8GemmKernels"/>. Of the eight warps of a group four lie along the rows and two along the outputs, each with 16 rows and 32
/// outputs. Integer sums over a group of a format are exact. Elsewhere the kernel is that of <see cref="Int8GemmKernels"/>.
/// </summary>
internal static class Int8TensorKernels
{
    private const int TileLength = TensorCores.TileLength;

    private const int Words = GemmKernels.Depth / 4;

    /// <summary>Places between two words of a row in shared memory; 4 more than a tile spread the lanes over the banks.</summary>
    private const int Pitch = Int8GemmKernels.Pitch * 4;

    public static void Tile<TBlock>(CodeProduct a)
        where TBlock : struct, IGpuBlock
    {
        if (CudaAsm.IsSupported) Multiply<TBlock>(a);
        else Int8GemmKernels.Tile<TBlock, PortableCodeTile>(a);
    }

    private static void Multiply<TBlock>(CodeProduct a)
        where TBlock : struct, IGpuBlock
    {
        TBlock format = default;
        var weightCodes = SharedMemory.Allocate<int>(Words * Pitch);
        var weightScales = SharedMemory.Allocate<float>(2 * Pitch);
        var weightMinimums = SharedMemory.Allocate<float>(2 * Pitch);
        var activationCodes = SharedMemory.Allocate<int>(Words * Pitch);
        var activationScales = SharedMemory.Allocate<float>(Pitch);
        var activationSums = SharedMemory.Allocate<float>(2 * Pitch);
        int firstOutput = Grid.IdxX * TileLength;
        int firstRow = Grid.IdxY * TileLength;
        int warp = Group.IdxX >> 5;
        int g = (Group.IdxX & 31) >> 2;
        int t = Group.IdxX & 3;
        int row = ((warp & 3) * 16) + g;
        int output = (warp >> 2) * 32;
        Float4x4 minimums = default;
        TensorTile.Begin();
        for (int step = 0; step < a.Weights.Columns / GemmKernels.Depth; step++)
        {
            Int8GemmKernels.LoadWeights<TBlock>(a, step, firstOutput, TileLength, weightCodes, weightScales, weightMinimums);
            Int8GemmKernels.LoadActivations(a, step, firstRow, TileLength, activationCodes, activationScales, activationSums);
            Group.Barrier();
            int x0 = activationCodes[(t * Pitch) + row];
            int x1 = activationCodes[(t * Pitch) + row + 8];
            int x2 = activationCodes[((t + 4) * Pitch) + row];
            int x3 = activationCodes[((t + 4) * Pitch) + row + 8];
            float rowScale = activationScales[row];
            float lowerRowScale = activationScales[row + 8];
            int low = (t * Pitch) + output + g;
            int high = low + (4 * Pitch);
            int scale = output + (2 * t);
            if (format.GroupLength == 32)
            {
                TensorTile.AddFirst(x0, x1, x2, x3, weightCodes[low], weightCodes[high], rowScale, lowerRowScale, weightScales[scale], weightScales[scale + 1]);
                TensorTile.AddSecond(x0, x1, x2, x3, weightCodes[low + 8], weightCodes[high + 8], rowScale, lowerRowScale, weightScales[scale + 8], weightScales[scale + 9]);
                TensorTile.AddThird(x0, x1, x2, x3, weightCodes[low + 16], weightCodes[high + 16], rowScale, lowerRowScale, weightScales[scale + 16], weightScales[scale + 17]);
                TensorTile.AddFourth(x0, x1, x2, x3, weightCodes[low + 24], weightCodes[high + 24], rowScale, lowerRowScale, weightScales[scale + 24], weightScales[scale + 25]);
            }
            else
            {
                TensorTile.AddHalfFirst(x0, x1, weightCodes[low], rowScale, lowerRowScale, weightScales[scale], weightScales[scale + 1]);
                TensorTile.AddHalfSecond(x0, x1, weightCodes[low + 8], rowScale, lowerRowScale, weightScales[scale + 8], weightScales[scale + 9]);
                TensorTile.AddHalfThird(x0, x1, weightCodes[low + 16], rowScale, lowerRowScale, weightScales[scale + 16], weightScales[scale + 17]);
                TensorTile.AddHalfFourth(x0, x1, weightCodes[low + 24], rowScale, lowerRowScale, weightScales[scale + 24], weightScales[scale + 25]);
                int other = scale + Pitch;
                TensorTile.AddHalfFirst(x2, x3, weightCodes[high], rowScale, lowerRowScale, weightScales[other], weightScales[other + 1]);
                TensorTile.AddHalfSecond(x2, x3, weightCodes[high + 8], rowScale, lowerRowScale, weightScales[other + 8], weightScales[other + 9]);
                TensorTile.AddHalfThird(x2, x3, weightCodes[high + 16], rowScale, lowerRowScale, weightScales[other + 16], weightScales[other + 17]);
                TensorTile.AddHalfFourth(x2, x3, weightCodes[high + 24], rowScale, lowerRowScale, weightScales[other + 24], weightScales[other + 25]);
            }

            if (format.HasMinimums)
            {
                for (int half = 0; half < 2; half++)
                {
                    float sum = activationSums[(half * Pitch) + row];
                    float lowerSum = activationSums[(half * Pitch) + row + 8];
                    int minimum = (half * Pitch) + scale;
                    minimums.Row0 = Quads.AddOuter(minimums.Row0, sum, lowerSum, weightMinimums[minimum], weightMinimums[minimum + 1]);
                    minimums.Row1 = Quads.AddOuter(minimums.Row1, sum, lowerSum, weightMinimums[minimum + 8], weightMinimums[minimum + 9]);
                    minimums.Row2 = Quads.AddOuter(minimums.Row2, sum, lowerSum, weightMinimums[minimum + 16], weightMinimums[minimum + 17]);
                    minimums.Row3 = Quads.AddOuter(minimums.Row3, sum, lowerSum, weightMinimums[minimum + 24], weightMinimums[minimum + 25]);
                }
            }

            Group.Barrier();
        }

        var sums = TensorTile.End();
        int storeRow = firstRow + row;
        int storeOutput = firstOutput + output + (2 * t);
        Store(a, storeRow, storeOutput, sums.Row0, minimums.Row0);
        Store(a, storeRow, storeOutput + 8, sums.Row1, minimums.Row1);
        Store(a, storeRow, storeOutput + 16, sums.Row2, minimums.Row2);
        Store(a, storeRow, storeOutput + 24, sums.Row3, minimums.Row3);
    }

    /// <summary>Stores the results that a lane has of 8 outputs: two of a row, and two of the row 8 below.</summary>
    private static void Store(CodeProduct a, int row, int output, Float4 sums, Float4 minimums)
    {
        a.Store(row, output, sums.X - minimums.X);
        a.Store(row, output + 1, sums.Y - minimums.Y);
        a.Store(row + 8, output, sums.Z - minimums.Z);
        a.Store(row + 8, output + 1, sums.W - minimums.W);
    }
}
