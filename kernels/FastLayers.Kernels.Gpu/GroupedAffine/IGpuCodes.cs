using ILGPU;

namespace FastLayers.Kernels.Gpu.GroupedAffine;

/// <summary>Unsigned codes of some number of bits in a little-endian stream of 32-bit words, a row of a matrix.</summary>
internal interface IGpuCodes
{
    /// <summary>The codes of values 4·<paramref name="quad"/> to 4·<paramref name="quad"/>+3 side by side, the first in the lowest bits.</summary>
    int Quad(ArrayView<int> words, int quad);

    /// <summary>Bits a code.</summary>
    int Bits { get; }
}

/// <summary>Sixteen codes a word.</summary>
internal readonly struct GpuCodes2 : IGpuCodes
{
    public int Bits => 2;

    public int Quad(ArrayView<int> words, int quad) => words[quad >> 2] >> (8 * (quad & 3));
}

/// <summary>Thirty-two codes in three words; a code may lie in two of them.</summary>
internal readonly struct GpuCodes3 : IGpuCodes
{
    public int Bits => 3;

    public int Quad(ArrayView<int> words, int quad)
    {
        int position = 12 * quad;
        int word = position >> 5;
        int shift = position & 31;
        int codes = words[word] >>> shift;
        return shift > 20 ? codes | (words[word + 1] << (32 - shift)) : codes;
    }
}

/// <summary>Eight codes a word.</summary>
internal readonly struct GpuCodes4 : IGpuCodes
{
    public int Bits => 4;

    public int Quad(ArrayView<int> words, int quad) => words[quad >> 1] >> (16 * (quad & 1));
}

/// <summary>Four codes a word.</summary>
internal readonly struct GpuCodes8 : IGpuCodes
{
    public int Bits => 8;

    public int Quad(ArrayView<int> words, int quad) => words[quad];
}
