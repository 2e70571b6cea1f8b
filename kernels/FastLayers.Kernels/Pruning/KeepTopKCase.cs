using FastLayers.Kernels.Catalog;
using static FastLayers.Kernels.Selection.SelectionCase;

namespace FastLayers.Kernels.Pruning;

/// <summary>Catalog entry of <see cref="KeepTopK"/>.</summary>
public static class KeepTopKCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = Create(
        "KeepTopK", "indices and values of the k largest scores, of equal ones the lower index, in rising order", "scores", "kept",
        (row, indices, values) => KeepTopKReference.Row(row, indices, values),
        (level, row, indices, values) => KeepTopK.Row(level, row, indices, values),
        Of(0, 8, 2), Of(1, 8, 0), Of(1, 1, 1), Of(1, 3, 5), Of(3, 17, 4), Of(2, 65, 33), Of(2, 127, 127), Of(1, 576, 192));
}
