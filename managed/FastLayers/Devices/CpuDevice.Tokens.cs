using System.Buffers;
using FastLayers.Kernels.Attention;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;
using FastLayers.Kernels.Threading;

namespace FastLayers;

/// <content>Pooling of padded batches, and what drops and merges tokens.</content>
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    protected override void PoolSequencesCore(PoolingKind kind, Tensor input, ReadOnlySpan<int> lengths, int frames, Tensor output, int columns)
    {
        fixed (int* valid = lengths)
            _pool.Run(new PoolSequences(kind, Floats(input), valid, frames, Floats(output), columns), lengths.Length);
    }

    /// <inheritdoc/>
    protected override void PoolStatisticsCore(Tensor input, Tensor? scores, ReadOnlySpan<int> lengths, int frames, float varianceFloor, Tensor output, int columns)
    {
        fixed (int* valid = lengths)
        {
            StatisticsPooling.Attentive(_pool, new StatisticsPoolingArguments
            {
                X = Floats(input),
                Scores = scores is null ? null : Floats(scores),
                HasChannelScores = scores is not null && scores.Columns == columns,
                Lengths = valid,
                Batch = lengths.Length,
                Frames = frames,
                Channels = columns,
                Mean = Floats(output),
                Deviation = Floats(output) + columns,
                OutputStride = 2 * columns,
                VarianceFloor = varianceFloor,
            });
        }
    }

    /// <inheritdoc/>
    protected override void AttentionColumnSumsCore(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor scores, int tokens)
    {
        lock (_lock)
        {
            var scratch = (float*)ActivationMemory(2L * batch.Count * options.Heads * sizeof(float));
            fixed (int* sequences = batch.Sequences, windowStart = batch.WindowStart, end = batch.End, pages = batch.PageTable)
            {
                var arguments = new AttentionArguments
                {
                    Cache = Cache(layer, pages, batch.PagesPerSequence),
                    Query = Floats(query),
                    Output = null,
                    Sequences = sequences,
                    First = options.Windowed ? windowStart : null,
                    End = end,
                    Rows = batch.Count,
                    Heads = options.Heads,
                    Scale = options.Scale,
                    SoftCap = options.SoftCap,
                };
                Kernels.Pruning.AttentionColumnSums.Compute(_pool, arguments, tokens, scratch, Floats(scores));
            }
        }
    }

    /// <inheritdoc/>
    protected override void KeepTopKCore(Tensor scores, int rows, int columns, int kept, Span<int> indices)
    {
        float[] values = ArrayPool<float>.Shared.Rent(kept);
        for (int row = 0; row < rows; row++)
            Kernels.Pruning.KeepTopK.Row(Row(Floats(scores), row, columns), indices.Slice(row * kept, kept), values.AsSpan(0, kept));
        ArrayPool<float>.Shared.Return(values);
    }

    /// <inheritdoc/>
    protected override void AssignToAnchorsCore(Tensor members, int memberCount, Tensor anchors, int anchorCount, int columns, Span<int> groups, Span<float> cosines)
    {
        fixed (int* chosen = groups)
        fixed (float* best = cosines)
            RunRows(new AssignMembers(Floats(members), Floats(anchors), anchorCount, columns, chosen, best), memberCount, columns);
    }

    /// <inheritdoc/>
    protected override void SegmentMeanCore(MergeMode mode, Tensor anchors, int anchorCount, Tensor members, ReadOnlySpan<int> groups, Tensor output, int columns) =>
        Kernels.Pruning.SegmentMean.Merge(mode, Floats(anchors), anchorCount, Floats(members), groups, columns, Floats(output));

    /// <inheritdoc/>
    protected override void RowNormsCore(Tensor input, Tensor norms, int rows, int columns) =>
        RunRows(new NormRows(Floats(input), Floats(norms), columns), rows, columns);

    /// <inheritdoc/>
    protected override void AddNormCore(Tensor target, Tensor source, Tensor norms, int rows, int columns) =>
        RunRows(new AddNormRows(Floats(target), Floats(source), Floats(norms), columns), rows, columns);

    /// <inheritdoc/>
    protected override void RelativeChangeCore(Tensor before, Tensor after, Tensor changes, int rows, int columns) =>
        RunRows(new ChangeRows(Floats(before), Floats(after), Floats(changes), columns), rows, columns);

    private readonly struct PoolSequences(PoolingKind kind, float* input, int* lengths, int frames, float* output, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int sequence = start; sequence < end; sequence++)
                RowPooling.Rows(kind, input + ((long)sequence * frames * columns), lengths[sequence], columns, output + ((long)sequence * columns));
        }
    }

    private readonly struct AssignMembers(float* members, float* anchors, int anchorCount, int columns, int* groups, float* cosines) : IParallelWork
    {
        public void Execute(int start, int end, int worker) =>
            AnchorAssignment.Assign(members + ((long)start * columns), end - start, anchors, anchorCount, columns, groups + start, cosines + start);
    }

    private readonly struct NormRows(float* input, float* norms, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++) norms[row] = Kernels.Pruning.RowNorms.Row(Row(input, row, columns));
        }
    }

    private readonly struct AddNormRows(float* target, float* source, float* norms, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++) norms[row] = Kernels.Normalize.AddNorm.Row(Row(source, row, columns), Row(target, row, columns));
        }
    }

    private readonly struct ChangeRows(float* before, float* after, float* changes, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++) changes[row] = Kernels.Pruning.RowNorms.RelativeChange(Row(before, row, columns), Row(after, row, columns));
        }
    }
}
