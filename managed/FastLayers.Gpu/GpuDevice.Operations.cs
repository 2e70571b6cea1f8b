using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Formats;
using FastLayers.Kernels.Gpu.Activation;
using FastLayers.Kernels.Gpu.Attention;
using FastLayers.Kernels.Gpu.Elementwise;
using FastLayers.Kernels.Gpu.Embedding;
using FastLayers.Kernels.Gpu.Gather;
using FastLayers.Kernels.Gpu.KvCache;
using FastLayers.Kernels.Gpu.MatMul;
using FastLayers.Kernels.Gpu.Normalize;
using FastLayers.Kernels.Gpu.Pooling;
using FastLayers.Kernels.Gpu.Quantize;
using FastLayers.Kernels.Gpu.Rotary;
using FastLayers.Kernels.Gpu.Selection;
using FastLayers.Kernels.MatMul;
using FastLayers.Kernels.Pooling;
using FastLayers.Kernels.Rotary;
using ILGPU;

namespace FastLayers.Gpu;

/// <content>The operations: operands are checked already; what is left is to find the views and start the kernels.</content>
public sealed partial class GpuDevice
{
    /// <summary>The kernels load activations by four floats at once, from multiples of this.</summary>
    private const int LoadBytes = 16;

    private readonly UploadedArray<int> _ids;
    private readonly UploadedArray<float> _weights;
    private readonly UploadedArray<int> _positions;
    private readonly UploadedArray<int> _sequences;
    private readonly UploadedArray<int> _windowStart;
    private readonly UploadedArray<int> _end;
    private readonly UploadedArray<int> _pages;
    private readonly ScratchBuffer _activations;
    private readonly ScratchBuffer _scratch;
    private readonly ScratchBuffer _weightCopy;

    /// <inheritdoc/>
    protected override void ClearCore(Tensor target, int rows, int columns)
    {
        lock (_sync) _launcher.Clear(GpuMemory.Floats(target, (long)rows * columns).Cast<byte>());
    }

    /// <inheritdoc/>
    protected override void EmbedCore(Tensor table, ReadOnlySpan<int> ids, float scale, Tensor output)
    {
        lock (_sync) EmbeddingLookupKernels.Launch(_launcher, table.Format, GpuMemory.Matrix(table), _ids.Upload(ids), scale, GpuMemory.Floats(output, (long)ids.Length * table.Columns));
    }

    /// <inheritdoc/>
    protected override void MatMulCore(Tensor weight, Tensor? bias, Tensor input, Tensor output, int rows, ActivationPrecision precision)
    {
        int outputs = (int)weight.Rows;
        int columns = weight.Columns;
        long count = (long)rows * columns;
        lock (_sync)
        {
            var x = GpuMemory.Floats(input, count);
            if (input.ByteOffset % LoadBytes != 0)
            {
                // Not in the memory of the rounded activations, which are made from these.
                var aligned = _scratch.Take<float>(count);
                _launcher.Copy(x.Cast<byte>(), aligned.Cast<byte>());
                x = aligned;
            }

            var matrix = GpuMemory.Matrix(weight);
            if (weight.Format.BlockLength == 1 && weight.ByteOffset % LoadBytes != 0)
            {
                var aligned = _weightCopy.Take<byte>(matrix.Rest.Length);
                _launcher.Copy(matrix.Rest, aligned);
                matrix.Rest = aligned;
            }

            var y = GpuMemory.Floats(output, (long)rows * outputs);
            var summand = Optional(bias, outputs);
            if (precision == ActivationPrecision.Int8 && Int8MatMulKernels.Supports(_launcher, weight.Format))
            {
                var rounded = _activations.Take<byte>(QuantizedActivations.Bytes(rows, columns));
                QuantizeActivationsKernels.Launch(_launcher, x, rounded, rows, columns);
                Int8MatMulKernels.Launch(_launcher, weight.Format, matrix, summand, GpuQuantizedActivations.On(rounded, rows, columns), y, rows, outputs, columns);
                return;
            }

            MatMulKernels.Launch(_launcher, weight.Format, matrix, summand, x, y, rows, outputs, columns);
        }
    }

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor input, Tensor? weight, float epsilon, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync) RmsNormKernels.Launch(_launcher, GpuMemory.Floats(input, count), Optional(weight, columns), epsilon, GpuMemory.Floats(output, count), rows, columns);
    }

    /// <inheritdoc/>
    protected override void LayerNormCore(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync) LayerNormKernels.Launch(_launcher, GpuMemory.Floats(input, count), Optional(weight, columns), Optional(bias, columns), epsilon, GpuMemory.Floats(output, count), rows, columns);
    }

    /// <inheritdoc/>
    protected override void L2NormalizeCore(Tensor input, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync) L2NormalizeKernels.Launch(_launcher, GpuMemory.Floats(input, count), Kernels.Normalize.L2Normalize.SmallestLength, GpuMemory.Floats(output, count), rows, columns);
    }

    /// <inheritdoc/>
    protected override void PoolCore(PoolingKind kind, Tensor input, Tensor output, int rows, int columns)
    {
        lock (_sync) RowPoolingKernels.Launch(_launcher, kind, GpuMemory.Floats(input, (long)rows * columns), GpuMemory.Floats(output, columns), rows, columns);
    }

    /// <inheritdoc/>
    protected override void RotateCore(Tensor values, ReadOnlySpan<int> positions, int heads, int headSize, RotaryTable table)
    {
        long entries = (long)table.Positions * table.Pairs;
        lock (_sync)
        {
            RotaryKernels.Launch(
                _launcher, GpuMemory.Floats(values, (long)positions.Length * heads * headSize), positions.Length, heads, headSize, _positions.Upload(positions),
                GpuMemory.Floats(table.Cosines, entries), GpuMemory.Floats(table.Sines, entries), table.Positions, 2 * table.Pairs, table.Halves ? RotaryStyle.Halves : RotaryStyle.Adjacent);
        }
    }

    /// <inheritdoc/>
    protected override void AppendKvCore(KvLayer layer, in BatchRows batch, Tensor keys, Tensor values)
    {
        lock (_sync)
        {
            AppendKvKernels.Launch(
                _launcher, Cache(layer, batch), GpuMemory.Floats(keys, (long)batch.Count * layer.Heads * layer.Keys.Columns), GpuMemory.Floats(values, (long)batch.Count * layer.Heads * layer.Values.Columns),
                _sequences.Upload(batch.Sequences), _positions.Upload(batch.Positions), batch.Count);
        }
    }

    /// <inheritdoc/>
    protected override void AttendCore(KvLayer layer, in BatchRows batch, in AttentionOptions options, Tensor query, Tensor output)
    {
        lock (_sync)
        {
            var (perSequence, longest) = Extent(batch, options.Windowed);
            var plan = AttentionPlan.Create(_launcher, batch.Count, options.Heads, layer.Heads, layer.Keys.Columns, layer.Values.Columns, perSequence, longest);
            var rows = new GpuAttentionRows
            {
                Query = GpuMemory.Floats(query, (long)batch.Count * options.Heads * layer.Keys.Columns),
                Output = GpuMemory.Floats(output, (long)batch.Count * options.Heads * layer.Values.Columns),
                Sequences = _sequences.Upload(batch.Sequences),
                First = options.Windowed ? _windowStart.Upload(batch.WindowStart) : default,
                End = _end.Upload(batch.End),
                Rows = batch.Count,
                Heads = options.Heads,
                Scale = options.Scale,
                SoftCap = options.SoftCap,
            };
            AttentionKernels.Launch(_launcher, plan, Cache(layer, batch), rows, _scratch.Take<float>(plan.ScratchLength(batch.Count, options.Heads, layer.Values.Columns)));
        }
    }

    /// <inheritdoc/>
    protected override void ActivateCore(ActivationKind kind, Tensor gate, Tensor? up, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync)
        {
            if (up is null) ActivationKernels.Launch(_launcher, kind, GpuMemory.Floats(gate, count), GpuMemory.Floats(output, count), rows, columns);
            else ActivationKernels.LaunchGated(_launcher, kind, GpuMemory.Floats(gate, count), GpuMemory.Floats(up, count), GpuMemory.Floats(output, count), rows, columns);
        }
    }

    /// <inheritdoc/>
    protected override void AddCore(Tensor target, Tensor source, float factor, int rows, int columns)
    {
        long count = (long)rows * columns;
        lock (_sync) RowArithmeticKernels.AddScaled(_launcher, factor, GpuMemory.Floats(source, count), GpuMemory.Floats(target, count), rows, columns);
    }

    /// <inheritdoc/>
    protected override void SoftCapCore(Tensor values, float cap, int rows, int columns)
    {
        var all = GpuMemory.Floats(values, (long)rows * columns);
        lock (_sync) ActivationKernels.LaunchSoftcap(_launcher, all, cap, all, rows, columns);
    }

    /// <inheritdoc/>
    protected override void GatherRowsCore(Tensor input, ReadOnlySpan<int> indices, Tensor output, int columns)
    {
        lock (_sync) RowMovesKernels.Gather(_launcher, GpuMemory.Floats(input, input.Count), (int)(input.Count / columns), _ids.Upload(indices), indices.Length, columns, GpuMemory.Floats(output, (long)indices.Length * columns));
    }

    /// <inheritdoc/>
    protected override void ScatterAddRowsCore(Tensor source, ReadOnlySpan<int> indices, ReadOnlySpan<float> weights, Tensor target, int columns)
    {
        lock (_sync)
        {
            RowMovesKernels.ScatterAdd(
                _launcher, GpuMemory.Floats(source, (long)indices.Length * columns), _weights.Upload(weights), _ids.Upload(indices), indices.Length, columns,
                GpuMemory.Floats(target, target.Count), (int)(target.Count / columns));
        }
    }

    /// <inheritdoc/>
    protected override void RouteExpertsCore(Tensor logits, int rows, int experts, int used, bool renormalize, Span<int> ids, Span<float> weights)
    {
        lock (_sync)
        {
            int choices = rows * used;
            var chosen = _scratch.Take<int>(2L * choices);
            var shares = chosen.SubView(choices, choices).Cast<float>();
            ExpertRoutingKernels.Launch(_launcher, GpuMemory.Floats(logits, (long)rows * experts), renormalize, chosen.SubView(0, choices), shares, rows, experts, used);
            _launcher.Download(chosen.SubView(0, choices), ids);
            _launcher.Download(shares, weights);
        }
    }

    private static ArrayView<float> Optional(Tensor? tensor, int count) => tensor is null ? default : GpuMemory.Floats(tensor, count);

    private GpuPagedCache Cache(KvLayer layer, in BatchRows batch) => new()
    {
        Keys = CacheBytes(layer.Keys),
        Values = CacheBytes(layer.Values),
        PageTable = _pages.Upload(batch.PageTable),
        PagesPerSequence = batch.PagesPerSequence,
        Heads = layer.Heads,
        KeySize = layer.Keys.Columns,
        ValueSize = layer.Values.Columns,
        IsHalf = layer.Keys.Format == Format.F16,
    };

    private static ArrayView<byte> CacheBytes(Tensor tensor) => ((GpuMemory)tensor.Memory).Bytes.SubView(tensor.ByteOffset, tensor.ByteLength);

    /// <summary>How many rows in a row belong to one sequence at the most, and how far the rows see: hints for cutting the work.</summary>
    private static (int RowsPerSequence, int LongestContext) Extent(in BatchRows batch, bool windowed)
    {
        int run = 1, longestRun = 1, longest = 0;
        for (int row = 0; row < batch.Count; row++)
        {
            run = row > 0 && batch.Sequences[row] == batch.Sequences[row - 1] ? run + 1 : 1;
            longestRun = Math.Max(longestRun, run);
            longest = Math.Max(longest, batch.End[row] - (windowed ? batch.WindowStart[row] : 0));
        }

        return (longestRun, longest);
    }
}
