using System.Runtime.Intrinsics;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// How the codes of 32 columns of 8 rows are stored. A vector of 32 bytes holds four neighboring columns of each row, row after row; eight
/// vectors hold 32 columns. Codes of fewer than 8 bits are stored without a sign, and share bytes with those of other vectors.
/// </summary>
internal unsafe interface IInterleavedCodes
{
    /// <summary>Bytes for 32 columns of 8 rows.</summary>
    static abstract int Bytes { get; }

    /// <summary>What is added to a code to have no negative ones.</summary>
    static abstract int Offset { get; }

    /// <summary>Vectors whose products with activations of −127…127 can be summed in 16 bit.</summary>
    static abstract int VectorsPerSum { get; }

    /// <summary>Whether the vectors hold signed bytes.</summary>
    static abstract bool IsSigned { get; }

    /// <summary>Stores 32 codes of a row.</summary>
    /// <param name="codes">The codes, <see cref="Offset"/> added, four a word.</param>
    /// <param name="cell">The row's first word of the cell; its words in the vectors are 8 apart.</param>
    static abstract void Store(uint* codes, uint* cell);

    /// <summary>Vector <paramref name="index"/> of a cell; a constant.</summary>
    static abstract Vector256<byte> Load(byte* cell, int index);
}
