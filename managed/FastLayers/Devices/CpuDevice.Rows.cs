using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Rotary;
using FastLayers.Kernels.Threading;

namespace FastLayers;

/// <content>Operations on rows that do not see each other; threads share the rows.</content>
public sealed unsafe partial class CpuDevice
{
    /// <summary>Values below which a row operation is not worth a second thread: about the cost of waking one.</summary>
    private const int MinimumValuesPerThread = 4096;

    /// <inheritdoc/>
    protected override void RmsNormCore(Tensor input, Tensor? weight, float epsilon, Tensor output, int rows, int columns)
    {
        RunRows(new RmsNormRows(Floats(input), weight is null ? null : Floats(weight), epsilon, Floats(output), columns), rows, columns);
    }

    /// <inheritdoc/>
    protected override void LayerNormCore(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor output, int rows, int columns)
    {
        RunRows(
            new LayerNormRows(Floats(input), weight is null ? null : Floats(weight), bias is null ? null : Floats(bias), epsilon, Floats(output), columns),
            rows, columns);
    }

    /// <inheritdoc/>
    protected override void L2NormalizeCore(Tensor input, Tensor output, int rows, int columns)
    {
        float* from = Floats(input);
        float* to = Floats(output);
        for (int row = 0; row < rows; row++) Kernels.Normalize.L2Normalize.Row(Row(from, row, columns), Kernels.Normalize.L2Normalize.SmallestLength, Row(to, row, columns));
    }

    /// <inheritdoc/>
    protected override void RotateCore(Tensor values, ReadOnlySpan<int> positions, int heads, int headSize, RotaryTable table)
    {
        int rowLength = heads * headSize;
        fixed (int* first = positions)
        {
            var work = new RotateRows(Floats(values), first, rowLength, headSize, Floats(table.Cosines), Floats(table.Sines), table.Pairs, table.Halves ? RotaryStyle.Halves : RotaryStyle.Adjacent);
            RunRows(work, positions.Length, rowLength);
        }
    }

    /// <inheritdoc/>
    protected override void ActivateCore(ActivationKind kind, Tensor gate, Tensor? up, Tensor output, int rows, int columns)
    {
        RunRows(new ActivateRows(kind, Floats(gate), up is null ? null : Floats(up), Floats(output), columns), rows, columns);
    }

    /// <inheritdoc/>
    protected override void SoftCapCore(Tensor values, float cap, int rows, int columns) =>
        RunRows(new SoftcapRows(Floats(values), cap, columns), rows, columns);

    private void RunRows<TWork>(TWork work, int rows, int columns)
        where TWork : struct, IParallelWork =>
        _pool.Run(work, rows, Math.Max(1, MinimumValuesPerThread / Math.Max(1, columns)));

    private static Span<float> Row(float* values, int row, int columns) => new(values + ((long)row * columns), columns);

    private static ReadOnlySpan<float> Optional(float* values, int columns) => values == null ? default : new ReadOnlySpan<float>(values, columns);

    private readonly struct RmsNormRows(float* input, float* weight, float epsilon, float* output, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++) Kernels.Normalize.RmsNorm.Row(Row(input, row, columns), Optional(weight, columns), epsilon, Row(output, row, columns));
        }
    }

    private readonly struct LayerNormRows(float* input, float* weight, float* bias, float epsilon, float* output, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++)
                Kernels.Normalize.LayerNorm.Row(Row(input, row, columns), Optional(weight, columns), Optional(bias, columns), epsilon, Row(output, row, columns));
        }
    }

    private readonly struct RotateRows(float* values, int* positions, int columns, int headSize, float* cosines, float* sines, int pairs, RotaryStyle style) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++)
                RotaryEmbedding.Row(Row(values, row, columns), headSize, Row(cosines, positions[row], pairs), Row(sines, positions[row], pairs), 2 * pairs, style);
        }
    }

    private readonly struct ActivateRows(ActivationKind kind, float* gate, float* up, float* output, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++)
            {
                if (up == null) Activations.Row(kind, Row(gate, row, columns), Row(output, row, columns));
                else Activations.GatedRow(kind, Row(gate, row, columns), Row(up, row, columns), Row(output, row, columns));
            }
        }
    }

    private readonly struct SoftcapRows(float* values, float cap, int columns) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++) Softcap.Row(Row(values, row, columns), cap, Row(values, row, columns));
        }
    }
}
