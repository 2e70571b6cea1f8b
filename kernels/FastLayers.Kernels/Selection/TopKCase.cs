using FastLayers.Kernels.Catalog;
using static FastLayers.Kernels.Selection.SelectionCase;

namespace FastLayers.Kernels.Selection;

/// <summary>Catalog entry of <see cref="TopK"/>.</summary>
public static class TopKCase
{
    /// <summary>The entry.</summary>
    public static KernelOperation Operation { get; } = Create(
        "TopK", "the k largest values in falling order, the lower index first", "x", "indices",
        (row, indices, values) => TopKReference.Row(row, indices, values),
        (level, row, indices, values) => TopK.Row(level, row, indices, values),
        Of(0, 8, 2), Of(1, 8, 0), Of(1, 1, 1), Of(1, 3, 5), Of(3, 17, 4), Of(2, 64, 8), Of(2, 127, 127), Of(5, 1000, 40), Of(1, 32_003, 64));
}
