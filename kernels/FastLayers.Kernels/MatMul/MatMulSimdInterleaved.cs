using FastLayers.Kernels.Threading;

namespace FastLayers.Kernels.MatMul;

/// <summary>
/// Matrix product of interleaved block-quantized rows (<see cref="InterleavedLayout"/>) with activations rounded to 8 bit: the same numbers as
/// <see cref="MatMulSimdInt8"/> up to the order of float sums, several times as fast.
/// </summary>
public static unsafe class MatMulSimdInterleaved
{
    /// <summary>Memory for the rounded activations of a product.</summary>
    public static long ActivationBytes(int rows, int columns) => InterleavedActivations.Bytes(rows, columns);

    /// <summary>Rounds the activations and computes the product.</summary>
    /// <param name="pool">The threads to share the work.</param>
    /// <param name="arguments">The operands; the weights are interleaved.</param>
    /// <param name="memory">At least <see cref="ActivationBytes"/> bytes, 64-byte aligned.</param>
    /// <exception cref="ArgumentException">A size is negative, a weight row is not whole blocks, or the format has no such layout here.</exception>
    public static void Multiply(WorkerPool pool, in MatMulArguments arguments, byte* memory)
    {
        ArgumentNullException.ThrowIfNull(pool);
        arguments.Check(nameof(MatMulSimdInterleaved));
        var layout = InterleavedLayout.For(arguments.Format)
            ?? throw new ArgumentException($"{nameof(MatMulSimdInterleaved)}: {arguments.Format.Name} has no interleaved layout on this processor.", nameof(arguments));
        var activations = new InterleavedActivations(memory, arguments.Rows, arguments.Columns);
        activations.Quantize(pool, arguments.Input);
        layout.Multiply(pool, arguments, activations);
    }
}
