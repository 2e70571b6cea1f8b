using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of many rows of float activations with a matrix by the tensor cores of CUDA devices: tiles of 64 rows times 64 outputs, eight warps with
/// 16 rows and 32 outputs each. Codes of block formats, and BF16 weights, are exact in BF16; F16 weights are cut into two BF16 numbers and activations
/// into three that sum to them exactly, so that nothing is lost but the rounding of float sums; an infinite activation or weight gives NaN. Elsewhere
/// the kernel is that of <see cref="GemmKernels"/>.
/// </summary>
internal static class FloatTensorKernels
{
    private const int TileLength = TensorCores.TileLength;

    /// <summary>Words of two columns a row of the tile.</summary>
    private const int Words = GemmKernels.Depth / 2;

    /// <summary>Places between two words of a row in shared memory; 4 more than a tile spread the lanes over the banks.</summary>
    private const int Pitch = TileLength + 4;

    /// <summary>Parts of an activation: 3 times 8 bits are the 24 of a float.</summary>
    private const int Parts = 3;

    /// <summary>Parts of a weight that one BF16 number cannot hold: 8 bits and 3 are the 11 of a half.</summary>
    private const int WeightParts = 2;

    public static void Tile<TWeights>(FloatProduct<TWeights> a)
        where TWeights : struct, IGpuTensorWeights
    {
        if (CudaAsm.IsSupported) Multiply(a);
        else GemmKernels.Tile(a);
    }

    private static void Multiply<TWeights>(FloatProduct<TWeights> a)
        where TWeights : struct, IGpuTensorWeights
    {
        var weightCodes = SharedMemory.Allocate<int>((a.Weights.HasSecondParts ? WeightParts : 1) * Words * Pitch);
        var weightScales = SharedMemory.Allocate<float>(2 * Pitch);
        var weightMinimums = SharedMemory.Allocate<float>(2 * Pitch);
        var activationParts = SharedMemory.Allocate<int>(Parts * Words * Pitch);
        var activationSums = SharedMemory.Allocate<float>(2 * Pitch);
        int firstOutput = Grid.IdxX * TileLength;
        int firstRow = Grid.IdxY * TileLength;
        int warp = Group.IdxX >> 5;
        int g = (Group.IdxX & 31) >> 2;
        int t = Group.IdxX & 3;
        int row = ((warp & 3) * 16) + g;
        int output = (warp >> 2) * 32;
        Float4x4 minimums = default;
        HalfTensorTile.Begin();
        for (int column = 0; column < a.Columns; column += GemmKernels.Depth)
        {
            LoadWeights(a, column, firstOutput, weightCodes, weightScales, weightMinimums);
            LoadActivations(a, column, firstRow, activationParts, activationSums);
            Group.Barrier();
            for (int half = 0; half < 2; half++)
            {
                int place = ((half * 8) + t) * Pitch;

                // The smallest parts first: their sums lose least before the largest come.
                if (a.Weights.HasSecondParts) AddProducts(weightCodes, (Words * Pitch) + place + output + g, activationParts, place + row);
                AddProducts(weightCodes, place + output + g, activationParts, place + row);
                int scale = (half * Pitch) + output + (2 * t);
                HalfTensorTile.ScaleFirst(weightScales[scale], weightScales[scale + 1]);
                HalfTensorTile.ScaleSecond(weightScales[scale + 8], weightScales[scale + 9]);
                HalfTensorTile.ScaleThird(weightScales[scale + 16], weightScales[scale + 17]);
                HalfTensorTile.ScaleFourth(weightScales[scale + 24], weightScales[scale + 25]);
                if (a.Weights.HasMinimums)
                {
                    float sum = activationSums[(half * Pitch) + row];
                    float lowerSum = activationSums[(half * Pitch) + row + 8];
                    minimums.Row0 = Quads.AddOuter(minimums.Row0, sum, lowerSum, weightMinimums[scale], weightMinimums[scale + 1]);
                    minimums.Row1 = Quads.AddOuter(minimums.Row1, sum, lowerSum, weightMinimums[scale + 8], weightMinimums[scale + 9]);
                    minimums.Row2 = Quads.AddOuter(minimums.Row2, sum, lowerSum, weightMinimums[scale + 16], weightMinimums[scale + 17]);
                    minimums.Row3 = Quads.AddOuter(minimums.Row3, sum, lowerSum, weightMinimums[scale + 24], weightMinimums[scale + 25]);
                }
            }

            Group.Barrier();
        }

        var sums = HalfTensorTile.End();
        int storeRow = firstRow + row;
        int storeOutput = firstOutput + output + (2 * t);
        Store(a, storeRow, storeOutput, sums.Row0, minimums.Row0);
        Store(a, storeRow, storeOutput + 8, sums.Row1, minimums.Row1);
        Store(a, storeRow, storeOutput + 16, sums.Row2, minimums.Row2);
        Store(a, storeRow, storeOutput + 24, sums.Row3, minimums.Row3);
    }

    /// <summary>Adds the products of one part of the weights with all parts of the activations over 16 columns to the dots of a lane.</summary>
    private static void AddProducts(ArrayView<int> codes, int code, ArrayView<int> parts, int firstPart)
    {
        const int Below = 4 * Pitch;
        int w0 = codes[code];
        int w1 = codes[code + Below];
        int w2 = codes[code + 8];
        int w3 = codes[code + Below + 8];
        int w4 = codes[code + 16];
        int w5 = codes[code + Below + 16];
        int w6 = codes[code + 24];
        int w7 = codes[code + Below + 24];
        for (int part = Parts - 1; part >= 0; part--)
        {
            int x = (part * Words * Pitch) + firstPart;
            HalfTensorTile.Activations(parts[x], parts[x + 8], parts[x + Below], parts[x + Below + 8]);
            HalfTensorTile.MultiplyFirst(w0, w1);
            HalfTensorTile.MultiplySecond(w2, w3);
            HalfTensorTile.MultiplyThird(w4, w5);
            HalfTensorTile.MultiplyFourth(w6, w7);
        }
    }

    /// <summary>Stages 32 columns of the weights of a tile.</summary>
    private static void LoadWeights<TWeights>(FloatProduct<TWeights> a, int column, int firstOutput, ArrayView<int> codes, ArrayView<float> scales, ArrayView<float> minimums)
        where TWeights : struct, IGpuTensorWeights
    {
        for (int i = Group.IdxX; i < TileLength * (Words / 2); i += Group.DimX)
        {
            int output = i / (Words / 2);
            int quad = i & ((Words / 2) - 1);
            Float4 values = default;
            if (firstOutput + output < a.Outputs) values = a.Weights.Codes(firstOutput + output, (column / 4) + quad);
            StorePart(codes, 0, quad, output, values);
            if (a.Weights.HasSecondParts) StorePart(codes, 1, quad, output, Rest(values));
        }

        for (int i = Group.IdxX; i < TileLength * 2; i += Group.DimX)
        {
            int output = i >> 1;
            int half = i & 1;
            bool exists = firstOutput + output < a.Outputs && column + (16 * half) < a.Columns;
            int sixteen = exists ? (column / 16) + half : 0;
            int existing = exists ? firstOutput + output : 0;
            scales[(half * Pitch) + output] = exists ? a.Weights.Scale(existing, sixteen) : 0;
            if (a.Weights.HasMinimums) minimums[(half * Pitch) + output] = exists ? a.Weights.Minimum(existing, sixteen) : 0;
        }
    }

    /// <summary>Stages 32 columns of the activations of a tile in three parts, and their sums over 16 columns.</summary>
    private static void LoadActivations<TWeights>(FloatProduct<TWeights> a, int column, int firstRow, ArrayView<int> parts, ArrayView<float> sums)
        where TWeights : struct, IGpuTensorWeights
    {
        for (int i = Group.IdxX; i < TileLength * (Words / 2); i += Group.DimX)
        {
            int row = i / (Words / 2);
            int quad = i & ((Words / 2) - 1);
            Float4 x = default;
            if (firstRow + row < a.Rows) x = a.Activations(firstRow + row, (column / 4) + quad);
            for (int part = 0; part < Parts; part++)
            {
                StorePart(parts, part, quad, row, x);
                x = Rest(x);
            }
        }

        if (!a.Weights.HasMinimums) return;
        for (int i = Group.IdxX; i < TileLength * 2; i += Group.DimX)
        {
            int row = i >> 1;
            int half = i & 1;
            float sum = 0;
            if (firstRow + row < a.Rows)
            {
                int quad = (column / 4) + (4 * half);
                sum = Quads.Sum(a.Activations(firstRow + row, quad)) + Quads.Sum(a.Activations(firstRow + row, quad + 1))
                    + (Quads.Sum(a.Activations(firstRow + row, quad + 2)) + Quads.Sum(a.Activations(firstRow + row, quad + 3)));
            }

            sums[(half * Pitch) + row] = sum;
        }
    }

    /// <summary>Stages four values of a row or output cut to BF16, two a word.</summary>
    private static void StorePart(ArrayView<int> parts, int part, int quad, int place, Float4 values)
    {
        int word = (((part * Words) + (2 * quad)) * Pitch) + place;
        parts[word] = BF16Parts.Pack(values.X, values.Y);
        parts[word + Pitch] = BF16Parts.Pack(values.Z, values.W);
    }

    private static Float4 Rest(Float4 values) => Quads.Of(BF16Parts.Rest(values.X), BF16Parts.Rest(values.Y), BF16Parts.Rest(values.Z), BF16Parts.Rest(values.W));

    /// <summary>Stores the results that a lane has of 8 outputs: two of a row, and two of the row 8 below.</summary>
    private static void Store<TWeights>(FloatProduct<TWeights> a, int row, int output, Float4 sums, Float4 minimums)
        where TWeights : struct, IGpuTensorWeights
    {
        a.Store(row, output, sums.X - minimums.X);
        a.Store(row, output + 1, sums.Y - minimums.Y);
        a.Store(row + 8, output, sums.Z - minimums.Z);
        a.Store(row + 8, output + 1, sums.W - minimums.W);
    }
}
