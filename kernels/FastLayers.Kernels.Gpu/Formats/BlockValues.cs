using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>Codes turned into values.</summary>
internal static class BlockValues
{
    /// <summary>Values 4·<paramref name="quad"/> to 4·<paramref name="quad"/>+3 of a row.</summary>
    /// <param name="codes">Codes of the row.</param>
    /// <param name="rest">Other bytes of the row.</param>
    /// <param name="quad">Which four values of the row.</param>
    public static Float4 Quad<TBlock>(ArrayView<int> codes, ArrayView<byte> rest, int quad) where TBlock : struct, IGpuBlock
    {
        TBlock format = default;
        int block = quad / (format.BlockLength / 4);
        int quadOfBlock = quad & ((format.BlockLength / 4) - 1);
        int group = quadOfBlock / (format.GroupLength / 4);
        int packed = format.Codes(codes, block, quadOfBlock);
        float scale = format.Scale(rest, block, group);
        float minimum = format.Minimum(rest, block, group);
        return new Float4
        {
            X = (scale * PackedBytes.Signed(packed, 0)) - minimum,
            Y = (scale * PackedBytes.Signed(packed, 1)) - minimum,
            Z = (scale * PackedBytes.Signed(packed, 2)) - minimum,
            W = (scale * PackedBytes.Signed(packed, 3)) - minimum,
        };
    }
}
