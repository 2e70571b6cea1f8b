using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Selection;
using FastLayers.Kernels.Threading;

namespace FastLayers;

/// <content>Sums of rows, and the gathering and routing of rows.</content>
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    protected override void AddCore(Tensor target, Tensor source, float factor, int rows, int columns) =>
        RunRows(new AddRows(Floats(target), Floats(source), factor, columns), rows, columns);

    /// <inheritdoc/>
    protected override void PoolCore(PoolingKind kind, Tensor input, Tensor output, int rows, int columns) =>
        RowPooling.Rows(kind, Floats(input), rows, columns, Floats(output));

    /// <inheritdoc/>
    protected override void GatherRowsCore(Tensor input, ReadOnlySpan<int> indices, Tensor output, int columns)
    {
        float* source = Floats(input);
        float* target = Floats(output);
        for (int row = 0; row < indices.Length; row++) Row(source, indices[row], columns).CopyTo(Row(target, row, columns));
    }

    /// <inheritdoc/>
    protected override void ScatterAddRowsCore(Tensor source, ReadOnlySpan<int> indices, ReadOnlySpan<float> weights, Tensor target, int columns)
    {
        float* from = Floats(source);
        float* to = Floats(target);
        for (int row = 0; row < indices.Length; row++) RowArithmetic.AddScaled(weights[row], Row(from, row, columns), Row(to, indices[row], columns));
    }

    /// <inheritdoc/>
    protected override void RouteExpertsCore(Tensor logits, int rows, int experts, int used, bool renormalize, Span<int> ids, Span<float> weights)
    {
        float* values = Floats(logits);
        for (int row = 0; row < rows; row++)
            ExpertRouting.Row(Row(values, row, experts), renormalize, ids.Slice(row * used, used), weights.Slice(row * used, used));
    }

    private readonly struct AddRows(float* target, float* source, float factor, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++)
            {
                if (factor == 1) RowArithmetic.Add(Row(source, row, columns), Row(target, row, columns));
                else RowArithmetic.AddScaled(factor, Row(source, row, columns), Row(target, row, columns));
            }
        }
    }
}
