using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>Rounds all rows of a matrix to 8 bit, rows shared among the threads.</summary>
public static unsafe class ActivationQuantizer
{
    /// <summary>Rounds <c>activations.Rows</c> rows of <paramref name="input"/>.</summary>
    public static void Quantize(WorkerPool pool, float* input, in QuantizedActivations activations)
    {
        ArgumentNullException.ThrowIfNull(pool);
        pool.Run(new Work(input, activations), activations.Rows);
    }

    private readonly struct Work(float* input, QuantizedActivations activations) : IParallelWork
    {
        public void Execute(int start, int end, int worker)
        {
            for (int row = start; row < end; row++) activations.QuantizeRow(input + ((long)row * activations.Columns), row);
        }
    }
}
