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
        Normalize.LayerNormCase.WeightedAndBiased,
        Normalize.LayerNormCase.Weighted,
        Normalize.LayerNormCase.Plain,
        Normalize.L2NormalizeCase.Operation,
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
        .. MatMul.MatMulCase.FloatByFormat,
        .. MatMul.MatMulCase.Int8ByFormat,
        MatMul.MatMulCase.Quantize,
        .. KvCache.AppendKvCase.ByElement,
        .. Attention.AttentionCase.All,
    ];

    /// <summary>The operation called <paramref name="name"/>.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public static KernelOperation Find(string name) =>
        Operations.FirstOrDefault(operation => operation.Name == name)
        ?? throw new KeyNotFoundException($"The catalog has no operation '{name}'.");
}
