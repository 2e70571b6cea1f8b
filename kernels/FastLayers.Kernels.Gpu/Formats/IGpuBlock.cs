using ILGPU;

namespace FastLayers.Kernels.Gpu.Formats;

/// <summary>
/// A block format as the kernels read it: value i of a block is <c>scale · code - minimum</c>, with a scale and a minimum for each group of
/// <see cref="GroupLength"/> values. On a device a matrix lies in two planes, see <see cref="GpuMatrixLayout"/>, so that codes can be loaded
/// in whole aligned words. Implementations are empty structures; kernels are specialized for each.
/// </summary>
internal interface IGpuBlock
{
    /// <summary>Values a block.</summary>
    int BlockLength { get; }

    /// <summary>Values that share a scale: 16 or 32.</summary>
    int GroupLength { get; }

    /// <summary>Where the code bytes start in a block of a file.</summary>
    int CodeOffset { get; }

    /// <summary>Bytes of codes a block, a multiple of 4.</summary>
    int CodeBytes { get; }

    /// <summary>The other bytes of a block: scales and minimums, those before and those after the codes one after another.</summary>
    int RestBytes { get; }

    /// <summary>Whether <see cref="Minimum"/> can be other than zero.</summary>
    bool HasMinimums { get; }

    /// <summary>The signed 8-bit codes of values 4·<paramref name="quad"/> to 4·<paramref name="quad"/>+3 of a block, the first in the lowest byte.</summary>
    /// <param name="codes">Codes of a row.</param>
    /// <param name="block">Block of the row.</param>
    /// <param name="quad">Which four values of the block.</param>
    int Codes(ArrayView<int> codes, int block, int quad);

    /// <summary>The scale of a group of a block.</summary>
    float Scale(ArrayView<byte> rest, int block, int group);

    /// <summary>What is subtracted from all values of a group.</summary>
    float Minimum(ArrayView<byte> rest, int block, int group);
}
