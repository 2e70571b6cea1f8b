using FastLayers.Kernels.Elementwise;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Selection;
using FastLayers.Kernels.Threading;

namespace FastLayers;

/// <content>Sums of rows, and the gathering and routing of rows.</content>
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void Add(Tensor target, Tensor source, float factor, int rows, int columns)
    {
        long count = (long)rows * columns;
        RunRows(new AddRows(Floats(target, count), Floats(source, count), factor, columns), rows, columns);
    }

    /// <inheritdoc/>
    public override void Pool(PoolingKind kind, Tensor input, Tensor output, int rows, int columns) =>
        RowPooling.Rows(kind, new ReadOnlySpan<float>(Floats(input, (long)rows * columns), rows * columns), Row(Floats(output, columns), 0, columns));

    /// <inheritdoc/>
    public override void GatherRows(Tensor input, ReadOnlySpan<int> indices, Tensor output, int columns)
    {
        float* source = Floats(input, RowsNeeded(indices) * columns);
        float* target = Floats(output, (long)indices.Length * columns);
        for (int row = 0; row < indices.Length; row++) Row(source, indices[row], columns).CopyTo(Row(target, row, columns));
    }

    /// <inheritdoc/>
    public override void ScatterAddRows(Tensor source, ReadOnlySpan<int> indices, ReadOnlySpan<float> weights, Tensor target, int columns)
    {
        float* from = Floats(source, (long)indices.Length * columns);
        float* to = Floats(target, RowsNeeded(indices) * columns);
        for (int row = 0; row < indices.Length; row++) RowArithmetic.AddScaled(weights[row], Row(from, row, columns), Row(to, indices[row], columns));
    }

    /// <inheritdoc/>
    public override void RouteExperts(Tensor logits, int rows, int experts, int used, bool renormalize, Span<int> ids, Span<float> weights)
    {
        float* values = Floats(logits, (long)rows * experts);
        for (int row = 0; row < rows; row++)
            ExpertRouting.Row(Row(values, row, experts), renormalize, ids.Slice(row * used, used), weights.Slice(row * used, used));
    }

    private static long RowsNeeded(ReadOnlySpan<int> indices)
    {
        long rows = 0;
        foreach (int index in indices)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index, nameof(indices));
            rows = Math.Max(rows, index + 1L);
        }

        return rows;
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
