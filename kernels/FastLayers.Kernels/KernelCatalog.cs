using FastLayers.Kernels.Catalog;

namespace FastLayers.Kernels;

/// <summary>
/// The list of operations. An entry here is tested on every device, validated on a user's own and measured; it lies beside its kernel.
/// </summary>
public static class KernelCatalog
{
    /// <summary>All operations.</summary>
    public static IReadOnlyList<KernelOperation> Operations { get; } =
    [
        Normalize.RmsNormCase.Weighted,
        Normalize.RmsNormCase.Plain,
        Normalize.RmsNormCase.Residual,
        Normalize.LayerNormCase.WeightedAndBiased,
        Normalize.LayerNormCase.Weighted,
        Normalize.LayerNormCase.Plain,
        Normalize.LayerNormCase.Residual,
        Normalize.L2NormalizeCase.Operation,
        Normalize.AddNormCase.Operation,
        Rotary.RotaryCase.Adjacent,
        Rotary.RotaryCase.Halves,
        .. Activation.ActivationCase.Plain,
        .. Activation.ActivationCase.Gated,
        Activation.SoftcapCase.Operation,
        Activation.SoftmaxCase.Operation,
        Elementwise.RowArithmeticCase.Add,
        Elementwise.RowArithmeticCase.AddScaled,
        Elementwise.RowArithmeticCase.Scale,
        Elementwise.RowArithmeticCase.AddBias,
        .. Embedding.EmbeddingLookupCase.ByFormat,
        Selection.ArgMaxCase.Operation,
        Selection.TopKCase.Operation,
        Selection.ExpertRoutingCase.Renormalized,
        Selection.ExpertRoutingCase.Shares,
        .. Pooling.RowPoolingCase.ByKind,
        .. Pooling.StatisticsPoolingCase.ByScores,
        .. Pruning.AttentionColumnSumsCase.ByMask,
        .. Pruning.PagedColumnSumsCase.All,
        .. Pruning.RowNormsCase.All,
        Pruning.KeepTopKCase.Operation,
        Pruning.AnchorAssignmentCase.Operation,
        .. Pruning.SegmentMeanCase.ByMode,
        Gather.RowMovesCase.Gather,
        Gather.RowMovesCase.ScatterAdd,
        Gather.RowMovesCase.FindKept,
        Gather.RowMovesCase.Compact,
        .. MatMul.MatMulCase.FloatByFormat,
        .. MatMul.MatMulCase.Int8ByFormat,
        .. MatMul.MatMulCase.InterleavedByFormat,
        .. MatMul.MatMulCase.EmittedByFormat,
        MatMul.MatMulCase.Quantize,
        .. KvCache.AppendKvCase.ByElement,
        .. GroupedAffine.GroupedMatMulCase.All,
        .. Attention.AttentionCase.All,
        .. Dequantize.DequantizeCase.ByFormat,
        .. Quantize.EncodeCase.ByFormat,
        .. KvCache.QuantizedCacheCase.Append,
        .. Attention.QuantizedAttentionCase.All,
    ];

    /// <summary>The operation called <paramref name="name"/>.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public static KernelOperation Find(string name) =>
        Operations.FirstOrDefault(operation => operation.Name == name)
        ?? throw new KeyNotFoundException($"The catalog has no operation '{name}'.");
}
