using FastLayers.Kernels.Gpu.Catalog;

namespace FastLayers.Kernels.Gpu;

/// <summary>The list of GPU kernels, and of the entries of <see cref="KernelCatalog"/> that they implement; each lies beside its kernels.</summary>
public static class GpuCatalog
{
    /// <summary>How entries of <see cref="KernelCatalog"/> run on a GPU.</summary>
    public static IReadOnlyList<GpuOperation> Operations { get; } =
    [
        .. Normalize.RmsNormKernels.Operations,
        .. MatMul.MatMulKernels.Operations,
        .. MatMul.Int8MatMulKernels.Operations,
        .. GroupedAffine.GroupedMatMulKernels.Operations,
        .. Embedding.EmbeddingLookupKernels.Operations,
        .. Dequantize.DequantizeKernels.Operations,
        .. Quantize.QuantizeActivationsKernels.Operations,
        .. Quantize.EncodeKernels.Operations,
        .. KvCache.AppendKvKernels.Operations,
        .. Attention.AttentionKernels.Operations,
        .. Normalize.LayerNormKernels.Operations,
        .. Normalize.L2NormalizeKernels.Operations,
        .. Normalize.AddNormKernels.Operations,
        .. Rotary.RotaryKernels.Operations,
        .. Activation.ActivationKernels.Operations,
        .. Activation.SoftmaxKernels.Operations,
        .. Elementwise.RowArithmeticKernels.Operations,
        .. Selection.ArgMaxKernels.Operations,
        .. Selection.TopKKernels.Operations,
        .. Selection.ExpertRoutingKernels.Operations,
        .. Pooling.RowPoolingKernels.Operations,
        .. Pooling.StatisticsPoolingKernels.Operations,
        .. Gather.RowMovesKernels.Operations,
        .. KvCache.AppendQuantizedKvKernels.Operations,
        .. Attention.QuantizedAttentionKernels.Operations,
        .. Pruning.AttentionColumnSumsKernels.Operations,
        .. Pruning.KeepTopKKernels.Operations,
        .. Pruning.AnchorAssignmentKernels.Operations,
        .. Pruning.SegmentMeanKernels.Operations,
        .. Pruning.RowNormsKernels.Operations,
    ];

    /// <summary>All kernels in all specializations.</summary>
    public static IReadOnlyList<GpuKernel> Kernels { get; } =
    [
        .. LimitKernels.All,
        .. Normalize.RmsNormKernels.All,
        .. MatMul.MatMulKernels.All,
        .. MatMul.Int8MatMulKernels.All,
        .. GroupedAffine.GroupedMatMulKernels.All,
        .. Embedding.EmbeddingLookupKernels.All,
        .. Dequantize.DequantizeKernels.All,
        .. Quantize.QuantizeActivationsKernels.All,
        .. Quantize.EncodeKernels.All,
        .. Quantize.FileOrderKernels.All,
        .. KvCache.AppendKvKernels.All,
        .. KvCache.AppendQuantizedKvKernels.All,
        .. Attention.AttentionKernels.All,
        .. Normalize.LayerNormKernels.All,
        .. Normalize.L2NormalizeKernels.All,
        .. Normalize.AddNormKernels.All,
        .. Rotary.RotaryKernels.All,
        .. Activation.ActivationKernels.All,
        .. Activation.SoftmaxKernels.All,
        .. Elementwise.RowArithmeticKernels.All,
        .. Selection.ArgMaxKernels.All,
        .. Selection.TopKKernels.All,
        .. Selection.ExpertRoutingKernels.All,
        .. Pooling.RowPoolingKernels.All,
        .. Pooling.StatisticsPoolingKernels.All,
        .. Gather.RowMovesKernels.All,
        .. Attention.QuantizedAttentionKernels.All,
        .. Pruning.AttentionColumnSumsKernels.All,
        .. Pruning.KeepTopKKernels.All,
        .. Pruning.AnchorAssignmentKernels.All,
        .. Pruning.SegmentMeanKernels.All,
        .. Pruning.RowNormsKernels.All,
    ];
}
