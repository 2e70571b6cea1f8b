using FastLayers.Kernels.Activation;
using FastLayers.Kernels.Rotary;
using FastLayers.Kernels.Threading;

namespace FastLayers;

/// <content>Operations on rows that do not see each other; threads share the rows.</content>
public sealed unsafe partial class CpuDevice
{
    /// <summary>Values below which a row operation is not worth a second thread: about the cost of waking one.</summary>
    private const int MinimumValuesPerThread = 4096;

    /// <summary>Least length to divide by, which keeps a row of zeros at zero.</summary>
    private const float SmallestLength = 1e-12f;

    /// <inheritdoc/>
    public override void RmsNorm(Tensor input, Tensor? weight, float epsilon, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        RunRows(new RmsNormRows(Floats(input, count), weight is null ? null : Floats(weight, columns), epsilon, Floats(output, count), columns), rows, columns);
    }

    /// <inheritdoc/>
    public override void LayerNorm(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        RunRows(
            new LayerNormRows(Floats(input, count), weight is null ? null : Floats(weight, columns), bias is null ? null : Floats(bias, columns), epsilon, Floats(output, count), columns),
            rows, columns);
    }

    /// <inheritdoc/>
    public override void L2Normalize(Tensor input, Tensor output, int rows, int columns)
    {
        float* from = Floats(input, (long)rows * columns);
        float* to = Floats(output, (long)rows * columns);
        for (int row = 0; row < rows; row++) Kernels.Normalize.L2Normalize.Row(Row(from, row, columns), SmallestLength, Row(to, row, columns));
    }

    /// <inheritdoc/>
    public override void Rotate(Tensor values, ReadOnlySpan<int> positions, int heads, int headSize, RotaryTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        int rowLength = heads * headSize;
        foreach (int position in positions)
        {
            if ((uint)position >= (uint)table.Positions) throw new ArgumentOutOfRangeException(nameof(positions), position, $"The table has positions 0 to {table.Positions - 1}.");
        }

        fixed (int* first = positions)
        {
            var work = new RotateRows(Floats(values, (long)positions.Length * rowLength), first, rowLength, headSize, Floats(table.Cosines, table.Cosines.Count), Floats(table.Sines, table.Sines.Count), table.Pairs, table.Halves ? RotaryStyle.Halves : RotaryStyle.Adjacent);
            RunRows(work, positions.Length, rowLength);
        }
    }

    /// <inheritdoc/>
    public override void Activate(ActivationKind kind, Tensor gate, Tensor? up, Tensor output, int rows, int columns)
    {
        long count = (long)rows * columns;
        RunRows(new ActivateRows(kind, Floats(gate, count), up is null ? null : Floats(up, count), Floats(output, count), columns), rows, columns);
    }

    /// <inheritdoc/>
    public override void SoftCap(Tensor values, float cap, int rows, int columns) =>
        RunRows(new SoftcapRows(Floats(values, (long)rows * columns), cap, columns), rows, columns);

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
