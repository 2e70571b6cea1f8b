using ILGPU;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of many rows of activations with a matrix, in tiles. The threads of a group form a rectangle, each with 4 rows times 4 outputs
/// in registers: 256 threads make a tile of 64 times 64. Of both operands <see cref="Depth"/> columns at a time lie in shared memory,
/// transposed, so that a thread reads its 4 rows and its 4 outputs with one load each; weights are decoded once a tile.
/// </summary>
internal static class GemmKernels
{
    /// <summary>Columns at a time: one block of the short formats. Two buffers of it take 17 KiB of the 48 that every device has.</summary>
    public const int Depth = 32;

    /// <summary>Rows up to which the matrix is rather read again every four rows than decoded into tiles that are mostly empty.</summary>
    public const int GemvRowLimit = 8;

    /// <summary>Threads that form the largest rectangle.</summary>
    public const int GroupSize = 256;

    /// <summary>Rows, and outputs, a thread.</summary>
    public const int PerThread = 4;

    /// <summary>Four-float places between two columns in shared memory: a tile is at most 64 wide, one more spreads stores over the banks.</summary>
    private const int Pitch = 17;

    /// <summary>Threads next to each other along the outputs; the others of the group lie along the rows.</summary>
    public static int AcrossOf(int groupSize)
    {
        int across = 1;
        while (across * across < groupSize) across *= 2;
        return across;
    }

    public static void Tile<TWeights>(FloatProduct<TWeights> a)
        where TWeights : struct, IGpuWeights
    {
        var weightTile = SharedMemory.Allocate<Float4>(Depth * Pitch);
        var activationTile = SharedMemory.Allocate<Float4>(Depth * Pitch);
        int tileOutputs = a.Across * PerThread;
        int tileRows = Group.DimX / a.Across * PerThread;
        int firstOutput = Grid.IdxX * tileOutputs;
        int firstRow = Grid.IdxY * tileRows;
        int down = Group.IdxX / a.Across;
        int across = Group.IdxX - (down * a.Across);
        Float4 sums0 = default;
        Float4 sums1 = default;
        Float4 sums2 = default;
        Float4 sums3 = default;
        for (int column = 0; column < a.Columns; column += Depth)
        {
            LoadWeights(a, weightTile.Cast<float>(), firstOutput, tileOutputs, column / 4);
            LoadActivations(a, activationTile.Cast<float>(), firstRow, tileRows, column / 4);
            Group.Barrier();
            for (int k = 0; k < Depth; k++)
            {
                var w = weightTile[(k * Pitch) + across];
                var x = activationTile[(k * Pitch) + down];
                sums0 = Quads.AddScaled(sums0, x.X, w);
                sums1 = Quads.AddScaled(sums1, x.Y, w);
                sums2 = Quads.AddScaled(sums2, x.Z, w);
                sums3 = Quads.AddScaled(sums3, x.W, w);
            }

            Group.Barrier();
        }

        int row = firstRow + (down * PerThread);
        int output = firstOutput + (across * PerThread);
        StoreRow(a, row, output, sums0);
        StoreRow(a, row + 1, output, sums1);
        StoreRow(a, row + 2, output, sums2);
        StoreRow(a, row + 3, output, sums3);
    }

    private static void LoadWeights<TWeights>(FloatProduct<TWeights> a, ArrayView<float> tile, int firstOutput, int outputs, int firstQuad)
        where TWeights : struct, IGpuWeights
    {
        for (int i = Group.IdxX; i < outputs * (Depth / 4); i += Group.DimX)
        {
            int output = i / (Depth / 4);
            int quad = i & ((Depth / 4) - 1);
            Float4 values = default;
            if (firstOutput + output < a.Outputs) values = a.Weights.Quad(firstOutput + output, firstQuad + quad);
            StoreTransposed(tile, quad, output, values);
        }
    }

    private static void LoadActivations<TWeights>(FloatProduct<TWeights> a, ArrayView<float> tile, int firstRow, int rows, int firstQuad)
        where TWeights : struct, IGpuWeights
    {
        for (int i = Group.IdxX; i < rows * (Depth / 4); i += Group.DimX)
        {
            int row = i / (Depth / 4);
            int quad = i & ((Depth / 4) - 1);
            Float4 values = default;
            if (firstRow + row < a.Rows) values = a.Activations(firstRow + row, firstQuad + quad);
            StoreTransposed(tile, quad, row, values);
        }
    }

    private static void StoreTransposed(ArrayView<float> tile, int quad, int place, Float4 values)
    {
        int start = (quad * 4 * Pitch * 4) + place;
        tile[start] = values.X;
        tile[start + (Pitch * 4)] = values.Y;
        tile[start + (2 * Pitch * 4)] = values.Z;
        tile[start + (3 * Pitch * 4)] = values.W;
    }

    private static void StoreRow<TWeights>(FloatProduct<TWeights> a, int row, int output, Float4 sums)
        where TWeights : struct, IGpuWeights
    {
        a.Store(row, output, sums.X);
        a.Store(row, output + 1, sums.Y);
        a.Store(row, output + 2, sums.Z);
        a.Store(row, output + 3, sums.W);
    }
}
