using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Normalize;
using FastLayers.Kernels.Gpu.Pooling;
using FastLayers.Kernels.Gpu.Pruning;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Pruning;

namespace FastLayers.Gpu;

/// <content>Pooling of padded batches, and what drops and merges tokens.</content>
public sealed partial class GpuDevice
{
    /// <inheritdoc/>
    protected override void PoolSequencesCore(PoolingKind kind, Tensor input, ReadOnlySpan<int> lengths, int frames, Tensor output, int columns)
    {
        lock (_sync)
        {
            var x = GpuMemory.Floats(input, (long)lengths.Length * frames * columns);
            var y = GpuMemory.Floats(output, (long)lengths.Length * columns);
            for (int i = 0; i < lengths.Length; i++)
                RowPoolingKernels.Launch(_launcher, kind, x.SubView((long)i * frames * columns, (long)lengths[i] * columns), y.SubView((long)i * columns, columns), lengths[i], columns);
        }
    }

    /// <inheritdoc/>
    protected override void PoolStatisticsCore(Tensor input, Tensor? scores, ReadOnlySpan<int> lengths, int frames, float varianceFloor, Tensor output, int columns)
    {
        long rows = (long)lengths.Length * frames;
        lock (_sync)
        {
            StatisticsPoolingKernels.Launch(
                _launcher, GpuMemory.Floats(input, rows * columns), scores is null ? default : GpuMemory.Floats(scores, rows * scores.Columns), _end.Upload(lengths), lengths, frames, columns,
                GpuMemory.Floats(output, 2L * lengths.Length * columns), varianceFloor);
        }
    }

    /// <inheritdoc/>
    protected override void AttentionColumnSumsCore(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor scores, int tokens)
    {
        lock (_sync)
        {
            var rows = new GpuAttentionRows
            {
                Query = GpuMemory.Floats(query, (long)batch.Count * options.Heads * layer.Keys.Columns),
                Output = default,
                Sequences = default,
                First = options.Windowed ? _windowStart.Upload(batch.WindowStart) : default,
                End = _end.Upload(batch.End),
                Rows = batch.Count,
                Heads = options.Heads,
                Scale = options.Scale,
                SoftCap = options.SoftCap,
            };
            var scratch = _scratch.Take<float>(AttentionColumnSumsKernels.ScratchLength(batch.Count, options.Heads, tokens));
            AttentionColumnSumsKernels.Launch(_launcher, Cache(layer, batch), rows, batch.Sequences[0], tokens, scratch, GpuMemory.Floats(scores, tokens));
        }
    }

    /// <inheritdoc/>
    protected override void KeepTopKCore(Tensor scores, int rows, int columns, int kept, Span<int> indices)
    {
        lock (_sync)
        {
            // Results and scratch memory, once for indices and once for values.
            int selection = indices.Length, scratch = KeepTopKKernels.ScratchLength(rows, columns, kept), side = checked(selection + scratch);
            var chosen = _scratch.Take<int>(2L * side);
            var values = chosen.SubView(side, side).Cast<float>();
            KeepTopKKernels.Launch(
                _launcher, GpuMemory.Floats(scores, (long)rows * columns), chosen.SubView(0, selection), values.SubView(0, selection), rows, columns, kept,
                chosen.SubView(selection, scratch), values.SubView(selection, scratch));
            _launcher.Download(chosen.SubView(0, selection), indices);
        }
    }

    /// <inheritdoc/>
    protected override void AssignToAnchorsCore(Tensor members, int memberCount, Tensor anchors, int anchorCount, int columns, Span<int> groups, Span<float> cosines)
    {
        lock (_sync)
        {
            var chosen = _scratch.Take<int>(2L * memberCount);
            var best = chosen.SubView(memberCount, memberCount).Cast<float>();
            AnchorAssignmentKernels.Launch(
                _launcher, GpuMemory.Floats(members, (long)memberCount * columns), memberCount, GpuMemory.Floats(anchors, (long)anchorCount * columns), anchorCount, columns,
                chosen.SubView(0, memberCount), best);
            _launcher.Download(chosen.SubView(0, memberCount), groups);
            _launcher.Download(best, cosines);
        }
    }

    /// <inheritdoc/>
    protected override void SegmentMeanCore(MergeMode mode, Tensor anchors, int anchorCount, Tensor members, ReadOnlySpan<int> groups, Tensor output, int columns)
    {
        long count = (long)anchorCount * columns;
        lock (_sync)
        {
            SegmentMeanKernels.Launch(
                _launcher, mode, GpuMemory.Floats(anchors, count), anchorCount, GpuMemory.Floats(members, (long)groups.Length * columns), groups.Length, _ids.Upload(groups), columns,
                GpuMemory.Floats(output, count));
        }
    }

    /// <inheritdoc/>
    protected override void RowNormsCore(Tensor input, Tensor norms, int rows, int columns)
    {
        lock (_sync) RowNormsKernels.Launch(_launcher, GpuMemory.Floats(input, (long)rows * columns), GpuMemory.Floats(norms, rows), rows, columns);
    }

    /// <inheritdoc/>
    protected override void AddNormCore(Tensor target, Tensor source, Tensor norms, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync) AddNormKernels.Launch(_launcher, GpuMemory.Floats(source, count), GpuMemory.Floats(target, count), GpuMemory.Floats(norms, rows), rows, columns);
    }

    /// <inheritdoc/>
    protected override void RelativeChangeCore(Tensor before, Tensor after, Tensor changes, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync) RowNormsKernels.LaunchRelativeChange(_launcher, GpuMemory.Floats(before, count), GpuMemory.Floats(after, count), GpuMemory.Floats(changes, rows), rows, columns);
    }
}
