using FastLayers.Kernels.GroupedAffine;
using ILGPU;

namespace FastLayers.Kernels.Gpu.GroupedAffine;

/// <summary>A grouped affine matrix in the memory of a device.</summary>
/// <param name="Layout">Its sizes.</param>
/// <param name="Words">Its codes.</param>
/// <param name="Scales">Its scales.</param>
/// <param name="Zeros">Its zeros.</param>
internal readonly record struct GpuGroupedMatrix(GroupedAffineLayout Layout, ArrayView<int> Words, ArrayView<float> Scales, ArrayView<float> Zeros)
{
    /// <summary>The matrix as kernels for its number of bits get it.</summary>
    public GroupedWeights<TCodes> As<TCodes>()
        where TCodes : struct, IGpuCodes => new()
        {
            Words = Words,
            Scales = Scales,
            Zeros = Zeros,
            WordsPerRow = Layout.WordsPerRow,
            GroupsPerRow = Layout.GroupsPerRow,
            GroupLength = Layout.GroupLength,
        };
}
