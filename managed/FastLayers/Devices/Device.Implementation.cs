using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;

namespace FastLayers;

/// <content>What a device implements: the operations with operands that are checked and not empty.</content>
public abstract partial class Device
{
    /// <summary>Implements <see cref="Clear"/>.</summary>
    protected abstract void ClearCore(Tensor target, int rows, int columns);

    /// <summary>Implements <see cref="Embed"/>.</summary>
    protected abstract void EmbedCore(Tensor table, ReadOnlySpan<int> ids, float scale, Tensor output);

    /// <summary>Implements <see cref="MatMul(Tensor, Tensor?, Tensor, Tensor, int, ActivationPrecision)"/>.</summary>
    protected abstract void MatMulCore(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows, ActivationPrecision precision);

    /// <summary>Implements <see cref="MatMul(ReadOnlySpan{Projection}, Tensor, int, ActivationPrecision)"/>; one after another by default.</summary>
    protected virtual void MatMulCore(ReadOnlySpan<Projection> projections, Tensor input, int rows, ActivationPrecision precision)
    {
        foreach (var (weight, bias, output) in projections)
        {
            if (weight.Rows > 0) MatMulCore(weight, bias, input, output, rows, precision);
        }
    }

    /// <summary>Implements <see cref="RmsNorm"/>.</summary>
    protected abstract void RmsNormCore(Tensor input, Tensor? weight, float epsilon, Tensor output, int rows, int columns);

    /// <summary>Implements <see cref="LayerNorm"/>.</summary>
    protected abstract void LayerNormCore(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor output, int rows, int columns);

    /// <summary>Implements <see cref="L2Normalize"/>.</summary>
    protected abstract void L2NormalizeCore(Tensor input, Tensor output, int rows, int columns);

    /// <summary>Implements <see cref="Pool(PoolingKind, Tensor, Tensor, int, int)"/>.</summary>
    protected abstract void PoolCore(PoolingKind kind, Tensor input, Tensor output, int rows, int columns);

    /// <summary>Implements <see cref="Rotate"/>.</summary>
    protected abstract void RotateCore(Tensor values, ReadOnlySpan<int> positions, int heads, int headSize, RotaryTable table);

    /// <summary>Implements <see cref="AppendKv"/>.</summary>
    protected abstract void AppendKvCore(KvLayer layer, in BatchRows batch, Tensor keys, Tensor values);

    /// <summary>Implements <see cref="Attend"/>.</summary>
    protected abstract void AttendCore(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor output);

    /// <summary>Implements <see cref="Activate"/>.</summary>
    protected abstract void ActivateCore(ActivationKind kind, Tensor gate, Tensor? up, Tensor output, int rows, int columns);

    /// <summary>Implements <see cref="Add"/>.</summary>
    protected abstract void AddCore(Tensor target, Tensor source, float factor, int rows, int columns);

    /// <summary>Implements <see cref="SoftCap"/>.</summary>
    protected abstract void SoftCapCore(Tensor values, float cap, int rows, int columns);

    /// <summary>Implements <see cref="GatherRows"/>.</summary>
    protected abstract void GatherRowsCore(Tensor input, ReadOnlySpan<int> indices, Tensor output, int columns);

    /// <summary>Implements <see cref="ScatterAddRows"/>.</summary>
    protected abstract void ScatterAddRowsCore(Tensor source, ReadOnlySpan<int> indices, ReadOnlySpan<float> weights, Tensor target, int columns);

    /// <summary>Implements <see cref="RouteExperts"/>.</summary>
    protected abstract void RouteExpertsCore(Tensor logits, int rows, int experts, int used, bool renormalize, Span<int> ids, Span<float> weights);

    /// <summary>Implements <see cref="Pool(PoolingKind, Tensor, ReadOnlySpan{int}, int, Tensor, int)"/>.</summary>
    protected abstract void PoolSequencesCore(PoolingKind kind, Tensor input, ReadOnlySpan<int> lengths, int frames, Tensor output, int columns);

    /// <summary>Implements <see cref="PoolStatistics"/>; scores of one column are one a frame.</summary>
    protected abstract void PoolStatisticsCore(Tensor input, Tensor? scores, ReadOnlySpan<int> lengths, int frames, float varianceFloor, Tensor output, int columns);

    /// <summary>Implements <see cref="AttentionColumnSums"/>.</summary>
    protected abstract void AttentionColumnSumsCore(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor scores, int tokens);

    /// <summary>Implements <see cref="KeepTopK"/>.</summary>
    protected abstract void KeepTopKCore(Tensor scores, int rows, int columns, int kept, Span<int> indices);

    /// <summary>Implements <see cref="AssignToAnchors"/>.</summary>
    protected abstract void AssignToAnchorsCore(Tensor members, int memberCount, Tensor anchors, int anchorCount, int columns, Span<int> groups, Span<float> cosines);

    /// <summary>Implements <see cref="SegmentMean"/>; there may be no members.</summary>
    protected abstract void SegmentMeanCore(MergeMode mode, Tensor anchors, int anchorCount, Tensor members, ReadOnlySpan<int> groups, Tensor output, int columns);

    /// <summary>Implements <see cref="RowNorms"/>; rows may be empty.</summary>
    protected abstract void RowNormsCore(Tensor input, Tensor norms, int rows, int columns);

    /// <summary>Implements <see cref="AddNorm"/>; rows may be empty.</summary>
    protected abstract void AddNormCore(Tensor target, Tensor source, Tensor norms, int rows, int columns);

    /// <summary>Implements <see cref="RelativeChange"/>; rows may be empty.</summary>
    protected abstract void RelativeChangeCore(Tensor before, Tensor after, Tensor changes, int rows, int columns);
}
