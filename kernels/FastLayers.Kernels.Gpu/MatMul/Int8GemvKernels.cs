using FastLayers.Kernels.Gpu.Formats;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>
/// Products of a few rows of 8-bit activations with a block matrix: a group a few outputs, its threads striding over sixteen columns at a
/// time, which never cross a group of a format. Sums of integers are exact, those of their products with the scales float.
/// </summary>
internal static class Int8GemvKernels
{
    /// <summary>Threads a group: 2,048 columns at a step.</summary>
    public const int GroupSize = 128;

    /// <summary>Outputs a group of <see cref="Row{TBlock}"/>.</summary>
    public const int OutputsOfRow = 4;

    /// <summary>Rows a group of <see cref="Rows{TBlock}"/>, for one load and unpacking of the weights of one output.</summary>
    public const int RowsOfRows = 4;

    /// <summary>One row of activations, Grid.Y, times <see cref="OutputsOfRow"/> outputs.</summary>
    public static void Row<TBlock>(CodeProduct a)
        where TBlock : struct, IGpuBlock
    {
        if (CudaAsm.IsSupported) Row<TBlock, CudaCodeSums>(a);
        else Row<TBlock, PortableCodeSums>(a);
    }

    private static void Row<TBlock, TSums>(CodeProduct a)
        where TBlock : struct, IGpuBlock
        where TSums : struct, ICodeSums
    {
        TSums codeSums = default;
        var shared = SharedMemory.Allocate<Float4>(GroupSize);
        int first = Grid.IdxX * OutputsOfRow;

        // Missing outputs of the last group are the last one computed again and not stored.
        int second = IntrinsicMath.Min(first + 1, a.Weights.Rows - 1);
        int third = IntrinsicMath.Min(first + 2, a.Weights.Rows - 1);
        int fourth = IntrinsicMath.Min(first + 3, a.Weights.Rows - 1);
        Float4 sums = default;
        codeSums.Begin();
        for (int sixteen = Group.IdxX; sixteen < a.Weights.Columns / 16; sixteen += Group.DimX)
        {
            var x = Activations.Of(a, Grid.IdxY, sixteen);
            var w0 = Sixteen<TBlock>.Of(a.Weights, first, sixteen);
            var w1 = Sixteen<TBlock>.Of(a.Weights, second, sixteen);
            var w2 = Sixteen<TBlock>.Of(a.Weights, third, sixteen);
            var w3 = Sixteen<TBlock>.Of(a.Weights, fourth, sixteen);
            sums.X = codeSums.AddFirst(WithoutMinimum<TBlock>(sums.X, w0.Minimum, x.Sum), x.Codes, w0.Codes, x.Scale * w0.Scale);
            sums.Y = codeSums.AddSecond(WithoutMinimum<TBlock>(sums.Y, w1.Minimum, x.Sum), x.Codes, w1.Codes, x.Scale * w1.Scale);
            sums.Z = codeSums.AddThird(WithoutMinimum<TBlock>(sums.Z, w2.Minimum, x.Sum), x.Codes, w2.Codes, x.Scale * w2.Scale);
            sums.W = codeSums.AddFourth(WithoutMinimum<TBlock>(sums.W, w3.Minimum, x.Sum), x.Codes, w3.Codes, x.Scale * w3.Scale);
        }

        sums = Quads.SumOverGroup(shared, codeSums.End(sums));
        if (Group.IdxX != 0) return;
        a.Store(Grid.IdxY, first, sums.X);
        a.Store(Grid.IdxY, first + 1, sums.Y);
        a.Store(Grid.IdxY, first + 2, sums.Z);
        a.Store(Grid.IdxY, first + 3, sums.W);
    }

    /// <summary><see cref="RowsOfRows"/> rows of activations times one output.</summary>
    public static void Rows<TBlock>(CodeProduct a)
        where TBlock : struct, IGpuBlock
    {
        if (CudaAsm.IsSupported) Rows<TBlock, CudaCodeSums>(a);
        else Rows<TBlock, PortableCodeSums>(a);
    }

    private static void Rows<TBlock, TSums>(CodeProduct a)
        where TBlock : struct, IGpuBlock
        where TSums : struct, ICodeSums
    {
        TSums codeSums = default;
        var shared = SharedMemory.Allocate<Float4>(GroupSize);
        int row = Grid.IdxY * RowsOfRows;
        int second = IntrinsicMath.Min(row + 1, a.Rows - 1);
        int third = IntrinsicMath.Min(row + 2, a.Rows - 1);
        int fourth = IntrinsicMath.Min(row + 3, a.Rows - 1);
        Float4 sums = default;
        codeSums.Begin();
        for (int sixteen = Group.IdxX; sixteen < a.Weights.Columns / 16; sixteen += Group.DimX)
        {
            var w = Sixteen<TBlock>.Of(a.Weights, Grid.IdxX, sixteen);
            var x0 = Activations.Of(a, row, sixteen);
            var x1 = Activations.Of(a, second, sixteen);
            var x2 = Activations.Of(a, third, sixteen);
            var x3 = Activations.Of(a, fourth, sixteen);
            sums.X = codeSums.AddFirst(WithoutMinimum<TBlock>(sums.X, w.Minimum, x0.Sum), x0.Codes, w.Codes, x0.Scale * w.Scale);
            sums.Y = codeSums.AddSecond(WithoutMinimum<TBlock>(sums.Y, w.Minimum, x1.Sum), x1.Codes, w.Codes, x1.Scale * w.Scale);
            sums.Z = codeSums.AddThird(WithoutMinimum<TBlock>(sums.Z, w.Minimum, x2.Sum), x2.Codes, w.Codes, x2.Scale * w.Scale);
            sums.W = codeSums.AddFourth(WithoutMinimum<TBlock>(sums.W, w.Minimum, x3.Sum), x3.Codes, w.Codes, x3.Scale * w.Scale);
        }

        sums = Quads.SumOverGroup(shared, codeSums.End(sums));
        if (Group.IdxX != 0) return;
        a.Store(row, Grid.IdxX, sums.X);
        a.Store(row + 1, Grid.IdxX, sums.Y);
        a.Store(row + 2, Grid.IdxX, sums.Z);
        a.Store(row + 3, Grid.IdxX, sums.W);
    }

    private static float WithoutMinimum<TBlock>(float sum, float minimum, float activations)
        where TBlock : struct, IGpuBlock
    {
        TBlock format = default;
        return format.HasMinimums ? sum - (minimum * activations) : sum;
    }

    /// <summary>Sixteen weights of a row: codes, scale and minimum.</summary>
    private struct Sixteen<TBlock>
        where TBlock : struct, IGpuBlock
    {
        public Int4 Codes;
        public float Scale;
        public float Minimum;

        public static Sixteen<TBlock> Of(GpuMatrix weights, int output, int sixteen)
        {
            TBlock format = default;
            int block = sixteen / (format.BlockLength / 16);
            int inBlock = sixteen & ((format.BlockLength / 16) - 1);
            int group = inBlock / (format.GroupLength / 16);
            var codes = weights.RowCodes<TBlock>(output);
            var rest = weights.RowRest<TBlock>(output);
            return new Sixteen<TBlock>
            {
                Codes = new Int4
                {
                    X = format.Codes(codes, block, 4 * inBlock),
                    Y = format.Codes(codes, block, (4 * inBlock) + 1),
                    Z = format.Codes(codes, block, (4 * inBlock) + 2),
                    W = format.Codes(codes, block, (4 * inBlock) + 3),
                },
                Scale = format.Scale(rest, block, group),
                Minimum = format.HasMinimums ? format.Minimum(rest, block, group) : 0,
            };
        }
    }

    /// <summary>Sixteen activations of a row.</summary>
    private struct Activations
    {
        public Int4 Codes;
        public float Scale;
        public float Sum;

        public static Activations Of(CodeProduct a, int row, int sixteen)
        {
            int columns = a.Weights.Columns;
            return new Activations
            {
                Codes = a.Activations.Codes.SubView((long)row * (columns / 4), columns / 4).Cast<Int4>().AsAligned(16)[sixteen],
                Scale = a.Activations.Scales.SubView((long)row * (columns / 32), columns / 32)[sixteen >> 1],
                Sum = a.Activations.Sums16.SubView((long)row * (columns / 16), columns / 16)[sixteen],
            };
        }
    }
}
