using FastLayers.Kernels.Gpu.Formats;

namespace FastLayers.Kernels.Gpu.MatMul;

/// <summary>A matrix of a block format.</summary>
internal struct BlockWeights<TBlock> : IGpuTensorWeights
    where TBlock : struct, IGpuBlock
{
    public GpuMatrix Matrix;

    public readonly bool AlwaysWhole => true;

    public readonly bool HasSecondParts => false;

    public readonly bool HasMinimums
    {
        get
        {
            TBlock format = default;
            return format.HasMinimums;
        }
    }

    public readonly Float4 Quad(int output, int quad)
    {
        TBlock format = default;
        int block = quad / (format.BlockLength / 4);
        int inBlock = quad & ((format.BlockLength / 4) - 1);
        int group = inBlock / (format.GroupLength / 4);
        var rest = Matrix.RowRest<TBlock>(output);
        var codes = Quads.OfSignedBytes(format.Codes(Matrix.RowCodes<TBlock>(output), block, inBlock));
        return Quads.Affine(codes, format.Scale(rest, block, group), format.HasMinimums ? format.Minimum(rest, block, group) : 0);
    }

    public readonly float Dot(int output, int octet, Float4 low, Float4 high)
    {
        TBlock format = default;
        int block = octet / (format.BlockLength / 8);
        int inBlock = octet & ((format.BlockLength / 8) - 1);
        int group = inBlock / (format.GroupLength / 8);
        var codes = Matrix.RowCodes<TBlock>(output);
        var rest = Matrix.RowRest<TBlock>(output);
        float sum = Quads.Dot(Quads.OfSignedBytes(format.Codes(codes, block, 2 * inBlock)), low)
            + Quads.Dot(Quads.OfSignedBytes(format.Codes(codes, block, (2 * inBlock) + 1)), high);
        float scaled = format.Scale(rest, block, group) * sum;
        return format.HasMinimums ? scaled - (format.Minimum(rest, block, group) * (Quads.Sum(low) + Quads.Sum(high))) : scaled;
    }

    public readonly Float4 Codes(int output, int quad)
    {
        TBlock format = default;
        int block = quad / (format.BlockLength / 4);
        return Quads.OfSignedBytes(format.Codes(Matrix.RowCodes<TBlock>(output), block, quad & ((format.BlockLength / 4) - 1)));
    }

    public readonly float Scale(int output, int sixteen)
    {
        TBlock format = default;
        int block = sixteen / (format.BlockLength / 16);
        return format.Scale(Matrix.RowRest<TBlock>(output), block, (sixteen & ((format.BlockLength / 16) - 1)) / (format.GroupLength / 16));
    }

    public readonly float Minimum(int output, int sixteen)
    {
        TBlock format = default;
        int block = sixteen / (format.BlockLength / 16);
        return format.Minimum(Matrix.RowRest<TBlock>(output), block, (sixteen & ((format.BlockLength / 16) - 1)) / (format.GroupLength / 16));
    }
}
